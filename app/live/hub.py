"""The fan-out of live pages: one channel for each run and kind of page that somebody watches in this process."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from time import monotonic

from app.contract.cursors import START
from app.live.channel import (
    Channel,
    Reads,
    Rings,
    View,
)
from app.live.viewer import Viewer

PING_SECONDS = 15.0
_PING_SPREAD = 0.2
"""The part of that time over which the pings are spread: all at once would keep those waiting that have news."""
KEPT = 64
"""How many folds are kept for runs that nobody watches just now."""
KEPT_SECONDS = 120.0
"""How long such a fold is kept; a hidden tab asks more often than that."""

OpenView = Callable[[str, str], Awaitable[View]]
"""Gives the view of a kind (`post`, `site` or `run`) for a run id."""


class Hub:
    """Opens streams of patches. `start` sets its pinger going; `close` ends all streams."""

    def __init__(
        self,
        log: Reads,
        bells: Rings,
        open_view: OpenView,
        ping_seconds: float = PING_SECONDS,
        kept_seconds: float = KEPT_SECONDS,
    ) -> None:
        self._log, self._bells, self._open_view = log, bells, open_view
        self._ping_seconds, self._kept_seconds = ping_seconds, kept_seconds
        self._channels: OrderedDict[tuple[str, str], Channel] = OrderedDict()
        self._pinger: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def viewers(self) -> int:
        """How many streams are open."""
        return sum(channel.viewers for channel in self._channels.values())

    @property
    def kept(self) -> int:
        """How many folds are in memory."""
        return len(self._channels)

    async def open(self, run_id: str, kind: str, after: str = START, *, reset: bool = False) -> Viewer:
        """The stream for a page that stands at `after`, an entry of the log; with `reset`, for one that stands nowhere.

        Raises what Redis and SQL raise, before anything is streamed.
        """
        channel = await self._channel(run_id, kind)
        await channel.refresh()
        return Viewer(channel, after, -1 if reset else channel.resets)

    async def peek(self, run_id: str) -> tuple[str, str]:
        """The run's status and cursor now. Cheap for a run that was watched: its fold goes on from where it is."""
        keys = [key for key in self._channels if key[0] == run_id]
        channel = self._channels[keys[-1]] if keys else await self._channel(run_id, "run")
        await channel.refresh()
        return channel.status, channel.cursor

    async def start(self) -> None:
        self._pinger = asyncio.create_task(self._ping(), name="ping viewers")

    def close(self) -> None:
        """Tell every viewer when to come back, and end its stream. Safe to call twice; in the event loop's thread."""
        self._closing = True
        for channel in self._channels.values():
            channel.close()

    async def stop(self) -> None:
        self.close()
        if self._pinger is not None:
            self._pinger.cancel()
            await asyncio.wait([self._pinger])

    async def _ping(self) -> None:
        """One pinger for all viewers; what nobody has wanted for long goes in the same round."""
        while True:
            await asyncio.sleep(self._ping_seconds * (1 - _PING_SPREAD))
            self._forget()
            channels = tuple(self._channels.values())
            for channel in channels:
                channel.ping()
                await asyncio.sleep(self._ping_seconds * _PING_SPREAD / len(channels))

    async def _channel(self, run_id: str, kind: str) -> Channel:
        key = (run_id, kind)
        if key not in self._channels:
            view = await self._open_view(kind, run_id)
            channel = self._channels.setdefault(key, Channel(run_id, view, self._log, self._bells))
            channel.closing = self._closing
        channel = self._channels[key]
        channel.idle_since = monotonic()
        self._channels.move_to_end(key)
        self._forget()
        return channel

    def _forget(self) -> None:
        idle = [key for key, channel in self._channels.items() if channel.idle]
        long_ago = monotonic() - self._kept_seconds
        old = [key for key in idle[-KEPT:] if self._channels[key].idle_since < long_ago]
        for key in (*idle[:-KEPT], *old):
            del self._channels[key]
