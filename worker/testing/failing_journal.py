"""A journal that fails at a chosen place of a run: its worker is killed, or a person cancels the run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from app.contract.events import Command, Event
from app.contract.run import Run
from worker.runtime.in_memory import MemoryJournal
from worker.runtime.journal import Release


class FailingJournal:
    """A journal that calls `disturb` after `places_left` facts and effects, or never where that is None.

    Without a `disturb`, the worker is killed there: `killed` is set, nothing that it still emits reaches the log, and
    its calls never return. What a release appends is one append, as it is in Redis: the worker is killed before it or
    after it. At more than `most_entries` entries in the log, the worker is killed in any case.
    """

    def __init__(
        self,
        journal: MemoryJournal,
        places_left: int | None,
        most_entries: int,
        disturb: Callable[[], None] | None = None,
    ) -> None:
        self._journal = journal
        self.places_left = places_left
        self._most_entries = most_entries
        self.killed = asyncio.Event()
        self._disturb = disturb or self.killed.set
        self.pass_places(0)

    @property
    def too_long(self) -> bool:
        """True when the log has more entries than it may have."""
        return len(self._journal.log.entries) > self._most_entries

    def pass_places(self, count: int) -> None:
        """Count facts and effects that happened, and disturb the run when it is time."""
        if self.too_long:
            self.killed.set()
        if self.places_left is None:
            return
        self.places_left -= count
        if self.places_left <= 0:
            self.places_left = None
            self._disturb()

    async def _block_if_killed(self) -> None:
        if self.killed.is_set():
            await asyncio.Future()

    def emit(self, event: Event) -> None:
        if not self.killed.is_set():
            self._journal.emit(event)
            self.pass_places(1)

    async def commit(self) -> None:
        await self._block_if_killed()
        await self._journal.commit()
        await self._block_if_killed()

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        await self._block_if_killed()
        await self._journal.release(events, how, handled)
        self.pass_places(len(events))

    async def fold(self) -> Run:
        await self._block_if_killed()
        return await self._journal.fold()

    async def commands(self, after: str) -> list[Command]:
        await self._block_if_killed()
        return await self._journal.commands(after)

    async def next_command(self, after: str) -> None:
        await self._block_if_killed()
        await self._journal.next_command(after)
