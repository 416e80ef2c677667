"""A worker that dies at a chosen event: from then on nothing of it reaches the log, and it hears nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.contract.events import Command, Event
from app.contract.fold import Run
from worker.runtime.journal import Release
from worker.runtime.memory import MemoryJournal


class MortalJournal:
    """A journal that takes `left` facts more, and then is dead. `death` is set at that moment.

    What a release appends is one append, as it is in Redis: the worker dies before it or after it.
    """

    def __init__(self, journal: MemoryJournal, left: int | None) -> None:
        self._journal = journal
        self.left = left
        self.death = asyncio.Event()
        self._die_when_due()

    def _die_when_due(self) -> None:
        if self.left is not None and self.left <= 0:
            self.death.set()

    def _count(self, facts: int) -> None:
        if self.left is not None:
            self.left -= facts
            self._die_when_due()

    async def _wait_if_dead(self) -> None:
        if self.death.is_set():
            await asyncio.Future()

    def emit(self, event: Event) -> None:
        if not self.death.is_set():
            self._journal.emit(event)
            self._count(1)

    async def commit(self) -> None:
        await self._wait_if_dead()
        await self._journal.commit()
        await self._wait_if_dead()

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        await self._wait_if_dead()
        await self._journal.release(events, how, handled)
        self._count(len(events))

    async def fold(self) -> Run:
        await self._wait_if_dead()
        return await self._journal.fold()

    async def commands(self, after: str) -> list[Command]:
        await self._wait_if_dead()
        return await self._journal.commands(after)

    async def next_command(self, after: str) -> None:
        await self._wait_if_dead()
        await self._journal.next_command(after)
