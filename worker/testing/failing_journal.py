"""A worker to whom something happens at a chosen moment: it dies, or a person cancels its run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from app.contract.events import Command, Event
from app.contract.run import Run
from worker.runtime.in_memory import MemoryJournal
from worker.runtime.journal import Release


class FailingJournal:
    """A journal that lets `left` moments pass, and then strikes: `strike` is called, or else the worker is dead.

    A moment is a fact of the run, or an effect that the worker noted (see `Effects`). What a release appends is one
    append, as it is in Redis: the worker dies before it or after it. Nothing of a dead worker reaches the log, and it
    hears nothing more. `death` is set when it died; at more than `most` entries of the log, it dies in any case.
    """

    def __init__(
        self, journal: MemoryJournal, left: int | None, most: int, strike: Callable[[], None] | None = None
    ) -> None:
        self._journal = journal
        self.left = left
        self._most = most
        self.death = asyncio.Event()
        self._strike = strike or self.death.set
        self.pass_moments(0)

    @property
    def overran(self) -> bool:
        return len(self._journal.log.entries) > self._most

    def pass_moments(self, count: int) -> None:
        """Something happened, so many times; strike when it is time."""
        if self.overran:
            self.death.set()
        if self.left is None:
            return
        self.left -= count
        if self.left <= 0:
            self.left = None
            self._strike()

    async def _wait_if_dead(self) -> None:
        if self.death.is_set():
            await asyncio.Future()

    def emit(self, event: Event) -> None:
        if not self.death.is_set():
            self._journal.emit(event)
            self.pass_moments(1)

    async def commit(self) -> None:
        await self._wait_if_dead()
        await self._journal.commit()
        await self._wait_if_dead()

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        await self._wait_if_dead()
        await self._journal.release(events, how, handled)
        self.pass_moments(len(events))

    async def fold(self) -> Run:
        await self._wait_if_dead()
        return await self._journal.fold()

    async def commands(self, after: str) -> list[Command]:
        await self._wait_if_dead()
        return await self._journal.commands(after)

    async def next_command(self, after: str) -> None:
        await self._wait_if_dead()
        await self._journal.next_command(after)
