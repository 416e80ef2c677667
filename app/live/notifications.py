"""The bells of the runs that somebody watches: one Redis subscription a process, however many watch."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.contract.keys import notification_channel

SWEEP_SECONDS = 1.0
"""A lost bell delays a viewer twice as long at the most, and rarely that long."""
_TURNS = 20
"""A sweep is done in so many turns: all runs at once would keep those waiting that have news."""

_SILENCE_SECONDS = 20.0
_RETRY_SECONDS = 0.5
_ALWAYS = notification_channel("")  # no run's: keeps the connection subscribed while nobody watches

_logger = structlog.get_logger(__name__)


class Notifications:
    """Rings an `asyncio.Event` for each watcher when its run's log has grown, and where it is silent once a second.

    `outages` counts the times the connection to Redis was lost: after one, a cursor may be no entry of its log any
    more. `closing` says that the process stops and streams are to end.
    """

    def __init__(self, redis: Any) -> None:
        self.outages = 0
        self.closing = False
        self._redis = redis
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._heard: set[str] = set()
        self._changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def watchers(self) -> int:
        """How many watch some run now."""
        return sum(map(len, self._watchers.values()))

    async def start(self) -> None:
        self._tasks = [asyncio.create_task(self._listen_forever()), asyncio.create_task(self._sweep())]

    async def stop(self) -> None:
        self.close()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []

    def close(self) -> None:
        """Tell everybody who watches to end. Safe to call twice; needs the event loop's own thread."""
        self.closing = True
        self._ring_all()

    @contextmanager
    def watch(self, run_id: str) -> Iterator[asyncio.Event]:
        """An event that is set at each ring; whoever waits for it clears it. Leaving is synchronous on purpose: what is
        awaited after a viewer has gone is cut off.
        """
        channel = notification_channel(run_id)
        bell = asyncio.Event()
        self._watchers.setdefault(channel, set()).add(bell)
        self._changed.set()
        try:
            yield bell
        finally:
            self._watchers[channel].discard(bell)
            if not self._watchers[channel]:
                del self._watchers[channel]
                self._heard.discard(channel)
                self._changed.set()

    def _ring(self, channel: str) -> None:
        for bell in self._watchers.get(channel, ()):
            bell.set()

    def _ring_all(self) -> None:
        for channel in self._watchers:
            self._ring(channel)

    async def _sweep(self) -> None:
        """Ring for every run that was not heard since its last turn; where bells arrive, there is nothing to mend."""
        while True:
            channels = list(self._watchers)
            size = max(1, math.ceil(len(channels) / _TURNS))
            for turn in range(_TURNS):
                await asyncio.sleep(SWEEP_SECONDS / _TURNS)
                for channel in channels[turn * size : (turn + 1) * size]:
                    if channel not in self._heard:
                        self._ring(channel)
                    self._heard.discard(channel)

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except* (RedisError, OSError, RuntimeError) as lost:
                if self.outages % 20 == 0:
                    _logger.warning("bells lost", error=str(lost.exceptions[0]), outages=self.outages)
                self.outages += 1
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        """Both halves of one connection; the first that fails ends the other, and a new connection begins anew."""
        pubsub = self._redis.pubsub()
        try:
            await pubsub.subscribe(_ALWAYS)
            async with asyncio.TaskGroup() as halves:
                halves.create_task(self._hear(pubsub))
                halves.create_task(self._subscribe(pubsub))
        finally:
            await pubsub.aclose()

    async def _hear(self, pubsub: Any) -> None:
        silent = 0
        while True:
            message = await pubsub.get_message(timeout=_SILENCE_SECONDS)
            if message is None:
                silent += 1
                if silent > 1:
                    raise OSError("Redis did not answer a ping")
                await pubsub.ping()
                continue
            silent = 0
            # A confirmed subscription rings too: what was appended just before it rang unheard.
            if message["type"] in ("message", "subscribe"):
                self._ring(message["channel"])
                if message["channel"] in self._watchers:
                    self._heard.add(message["channel"])

    async def _subscribe(self, pubsub: Any) -> None:
        subscribed: set[str] = set()
        self._changed.set()
        while True:
            await self._changed.wait()
            self._changed.clear()
            wanted = set(self._watchers)
            if gone := subscribed - wanted:
                await pubsub.unsubscribe(*gone)
            if new := wanted - subscribed:
                await pubsub.subscribe(*new)
            subscribed = wanted
