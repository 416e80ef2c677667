"""The fan-out of live pages: one channel for each run and kind of page that is watched in this process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from time import monotonic

from app.contract.cursors import START
from app.live.channel import Channel, View
from app.live.notifications import Notifications
from app.live.viewer import Viewer
from app.stores.log import Log

PING_SECONDS = 15.0
_PING_SPREAD = 0.2
"""The share of that time over which the pings are spread: all at once would delay patches."""
IDLE_CHANNELS = 64
"""How many channels without viewers are cached."""
IDLE_SECONDS = 120.0
"""How long a channel without viewers is cached. A hidden tab asks for the run's status more often than that."""

OpenView = Callable[[str, str], Awaitable[View]]
"""Opens the view of a kind (`post`, `site` or `run`) for a run id."""


class Hub:
    """Opens streams of patches. `start` starts the pings; `close` ends all streams."""

    def __init__(
        self,
        log: Log,
        notifications: Notifications,
        open_view: OpenView,
        ping_seconds: float = PING_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._log, self._notifications, self._open_view = log, notifications, open_view
        self._ping_seconds, self._idle_seconds = ping_seconds, idle_seconds
        self._channels: OrderedDict[tuple[str, str], Channel] = OrderedDict()
        self._pinging: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return sum(channel.viewers for channel in self._channels.values())

    @property
    def channels(self) -> int:
        """How many channels are in memory, with viewers or cached."""
        return len(self._channels)

    async def open(self, run_id: str, kind: str, after: str = START, *, reset: bool = False) -> Viewer:
        """Open the stream for a page that stands at `after`, an entry of the log; with `reset`, for any page.

        Raises the errors of Redis and SQL before anything is streamed.
        """
        channel = await self._open_channel(run_id, kind)
        await channel.refresh()
        return Viewer(channel, after, -1 if reset else channel.resets)

    async def peek(self, run_id: str) -> tuple[str, str]:
        """Return the run's status and cursor now. This is cheap for a run whose channel is in memory."""
        keys = [key for key in self._channels if key[0] == run_id]
        channel = self._channels[keys[-1]] if keys else await self._open_channel(run_id, "run")
        await channel.refresh()
        return channel.status, channel.cursor

    async def start(self) -> None:
        self._pinging = asyncio.create_task(self._ping(), name="ping viewers")

    def close(self) -> None:
        """Tell every page when to reconnect, and end its stream. Safe to call twice; in the event loop's thread."""
        self._closing = True
        for channel in self._channels.values():
            channel.close()

    async def stop(self) -> None:
        self.close()
        if self._pinging is not None:
            self._pinging.cancel()
            await asyncio.wait([self._pinging])

    async def _ping(self) -> None:
        """Ping all viewers again and again, and evict idle channels in the same round."""
        while True:
            await asyncio.sleep(self._ping_seconds * (1 - _PING_SPREAD))
            self._evict()
            channels = tuple(self._channels.values())
            for channel in channels:
                channel.ping()
                await asyncio.sleep(self._ping_seconds * _PING_SPREAD / len(channels))

    async def _open_channel(self, run_id: str, kind: str) -> Channel:
        key = (run_id, kind)
        if key not in self._channels:
            view = await self._open_view(kind, run_id)
            channel = self._channels.setdefault(key, Channel(run_id, view, self._log, self._notifications))
            channel.closing = self._closing
        channel = self._channels[key]
        channel.idle_since = monotonic()
        self._channels.move_to_end(key)
        self._evict()
        return channel

    def _evict(self) -> None:
        idle = [key for key, channel in self._channels.items() if channel.idle]
        oldest = monotonic() - self._idle_seconds
        expired = [key for key in idle[-IDLE_CHANNELS:] if self._channels[key].idle_since < oldest]
        for key in (*idle[:-IDLE_CHANNELS], *expired):
            del self._channels[key]
