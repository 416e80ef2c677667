"""Notifications that a watched run's log has grown: one Redis subscription a process, for any number of watchers."""

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
"""The time of one sweep. A lost notification delays a watcher by at most twice as long, and rarely by that long."""
_SWEEP_PARTS = 20
"""In how many parts a sweep is done: all runs at once would delay those that have news."""

_SILENCE_SECONDS = 20.0
_RETRY_SECONDS = 0.5
_ALWAYS = notification_channel("")  # no run's: keeps the connection subscribed while nobody watches

_logger = structlog.get_logger(__name__)


class Notifications:
    """Sets an `asyncio.Event` for each watcher when its run's log has grown, and once a second if nothing was heard.

    `outages` counts how often the connection to Redis was lost: after an outage, a cursor may be no entry of its log
    any more. `closing` says that the process stops and streams are to end.
    """

    def __init__(self, redis: Any) -> None:
        self.outages = 0
        self.closing = False
        self._redis = redis
        self._watchers: dict[str, set[asyncio.Event]] = {}
        self._heard: set[str] = set()
        self._watchers_changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def watchers(self) -> int:
        """How many watchers there are, of all runs."""
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
        """Wake every watcher to find `closing` set. Safe to call twice; must be called in the event loop's thread."""
        self.closing = True
        for channel in self._watchers:
            self._notify(channel)

    @contextmanager
    def watch(self, run_id: str) -> Iterator[asyncio.Event]:
        """Yield an event that each notification sets, and that the watcher clears.

        Leaving the block awaits nothing, because a stream that is cut off gets no more turns.
        """
        channel = notification_channel(run_id)
        notified = asyncio.Event()
        self._watchers.setdefault(channel, set()).add(notified)
        self._watchers_changed.set()
        try:
            yield notified
        finally:
            self._watchers[channel].discard(notified)
            if not self._watchers[channel]:
                del self._watchers[channel]
                self._heard.discard(channel)
                self._watchers_changed.set()

    def _notify(self, channel: str) -> None:
        for notified in self._watchers.get(channel, ()):
            notified.set()

    async def _sweep(self) -> None:
        """Notify the watchers of every run of which Redis said nothing since the last sweep, in case it was lost."""
        while True:
            channels = list(self._watchers)
            size = max(1, math.ceil(len(channels) / _SWEEP_PARTS))
            for part in range(_SWEEP_PARTS):
                await asyncio.sleep(SWEEP_SECONDS / _SWEEP_PARTS)
                for channel in channels[part * size : (part + 1) * size]:
                    if channel not in self._heard:
                        self._notify(channel)
                    self._heard.discard(channel)

    async def _listen_forever(self) -> None:
        while True:
            try:
                await self._listen()
            except* (RedisError, OSError, RuntimeError) as lost:
                if self.outages % 20 == 0:
                    error = str(lost.exceptions[0])
                    _logger.warning("Lost the subscription to notifications", error=error, outages=self.outages)
                self.outages += 1
            await asyncio.sleep(_RETRY_SECONDS)

    async def _listen(self) -> None:
        """Receive and subscribe over one connection, until either fails; then a new connection is needed for both."""
        pubsub = self._redis.pubsub()
        try:
            await pubsub.subscribe(_ALWAYS)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._receive(pubsub))
                tasks.create_task(self._subscribe(pubsub))
        finally:
            await pubsub.aclose()

    async def _receive(self, pubsub: Any) -> None:
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
            # A confirmed subscription counts too: nothing was heard of what was appended just before it.
            if message["type"] in ("message", "subscribe"):
                self._notify(message["channel"])
                if message["channel"] in self._watchers:
                    self._heard.add(message["channel"])

    async def _subscribe(self, pubsub: Any) -> None:
        subscribed: set[str] = set()
        self._watchers_changed.set()
        while True:
            await self._watchers_changed.wait()
            self._watchers_changed.clear()
            wanted = set(self._watchers)
            if gone := subscribed - wanted:
                await pubsub.unsubscribe(*gone)
            if new := wanted - subscribed:
                await pubsub.subscribe(*new)
            subscribed = wanted
