"""Politeness: one request at a time for a host, with a gap between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_KEPT_HOSTS = 1000

LONGEST_TURN = 8.0
"""After so many seconds (beyond the longest gap) a request that still waits for its host lets others try."""


@dataclass
class _Host:
    gap: float
    free_at: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Turn:
    """One turn at a host, which ends once."""

    def __init__(self, pace: HostThrottle, entry: _Host) -> None:
        self._pace, self._entry, self._ended = pace, entry, False

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            self._pace.end_turn(self._entry)


class HostThrottle:
    """Turns at hosts. `gap` is the least time between two requests to one host, in seconds; a site that asks for
    more (`Crawl-delay`) gets it, up to `longest_gap`."""

    def __init__(
        self,
        gap: float = 0.1,
        longest_gap: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._gap = gap
        self._longest_gap = longest_gap
        self._clock = clock
        self._sleep = sleep
        self._hosts: dict[str, _Host] = {}

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncGenerator[None]:
        """Waits for the host's turn, and holds it for at most `LONGEST_TURN` seconds."""
        entry = self._entry(host)
        entry.waiting += 1
        try:
            await entry.lock.acquire()
            turn = _Turn(self, entry)
            # A host that does not answer keeps this request waiting, but not everybody else's.
            timer = asyncio.get_running_loop().call_later(LONGEST_TURN, turn.end)
            try:
                wait = entry.free_at - self._clock()
                if wait > 0:
                    await self._sleep(wait)
                yield
            finally:
                timer.cancel()
                turn.end()
        finally:
            entry.waiting -= 1

    def end_turn(self, entry: _Host) -> None:
        """Let the next one have its turn, after the gap."""
        entry.free_at = self._clock() + entry.gap
        entry.lock.release()

    def slow_down(self, host: str, gap: float) -> None:
        """Honours a site's wish for a longer gap (seconds), up to the longest there is."""
        entry = self._entry(host)
        entry.gap = min(max(gap, self._gap), self._longest_gap)

    def _entry(self, host: str) -> _Host:
        if host not in self._hosts:
            if len(self._hosts) >= _KEPT_HOSTS:
                self._forget_idle()
            self._hosts[host] = _Host(self._gap)
        return self._hosts[host]

    def _forget_idle(self) -> None:
        now = self._clock()
        self._hosts = {name: host for name, host in self._hosts.items() if host.waiting or host.free_at > now}
