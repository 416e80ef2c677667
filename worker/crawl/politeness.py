"""Politeness: one request at a time for a host, with a gap between them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_MAX_HOSTS = 1000

MAX_SLOT_SECONDS = 8.0
"""How long one request may keep the others of its host waiting: longer than the longest gap."""


@dataclass
class _Host:
    gap: float
    free_at: float = 0.0
    waiting: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Slot:
    """The right to send one request to a host. It is released once."""

    def __init__(self, release: Callable[[], None]) -> None:
        self._release = release
        self._released = False

    def release(self) -> None:
        if not self._released:
            self._released = True
            self._release()


class HostThrottle:
    """Spaces out the requests to each host.

    `gap` is the least time between two requests to one host, in seconds. A site that asks for more (`Crawl-delay`) gets
    it, up to `longest_gap`.
    """

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
    async def slot(self, name: str) -> AsyncGenerator[None]:
        """Wait until the host may get a request, and keep other requests to it away for `MAX_SLOT_SECONDS` at most."""
        host = self._host(name)
        host.waiting += 1
        try:
            await host.lock.acquire()
            slot = _Slot(lambda: self._release(host))
            # A host that does not answer delays this request, but not the others for it.
            timer = asyncio.get_running_loop().call_later(MAX_SLOT_SECONDS, slot.release)
            try:
                wait = host.free_at - self._clock()
                if wait > 0:
                    await self._sleep(wait)
                yield
            finally:
                timer.cancel()
                slot.release()
        finally:
            host.waiting -= 1

    def set_gap(self, name: str, gap: float) -> None:
        """Set the gap that a host asks for (seconds), within the throttle's bounds."""
        self._host(name).gap = min(max(gap, self._gap), self._longest_gap)

    def _release(self, host: _Host) -> None:
        host.free_at = self._clock() + host.gap
        host.lock.release()

    def _host(self, name: str) -> _Host:
        if name not in self._hosts:
            if len(self._hosts) >= _MAX_HOSTS:
                self._drop_idle()
            self._hosts[name] = _Host(self._gap)
        return self._hosts[name]

    def _drop_idle(self) -> None:
        now = self._clock()
        self._hosts = {name: host for name, host in self._hosts.items() if host.waiting or host.free_at > now}
