"""`Journal`: how the runtime reaches a run's log, whichever store holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.contract.events import Command, Event
from app.contract.run import Run

Release = Literal["ended", "parked", "queued"]
"""How a run is released: at its end, to wait for an answer, or for another worker."""


@dataclass(frozen=True, slots=True)
class RunRelease:
    """How a run is released, the events that say so, and the newest command that was handled before."""

    events: list[Event]
    how: Release
    handled: str


class Journal(Protocol):
    """The access of one epoch to one run's log.

    Every method raises `StaleEpoch` once another epoch holds the run; from then on nothing is written.
    """

    def emit(self, event: Event) -> None:
        """Queue a fact. Facts reach the log in the order they were emitted."""
        ...

    async def commit(self) -> None:
        """Return when all that was emitted stands in the log."""
        ...

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        """Append what was emitted and `events`, and release the run, in one call.

        Raise `CommandPending` when a command newer than `handled` stands in the log: nothing was released.
        """
        ...

    async def fold(self) -> Run:
        """Return the run's state, folded from all that its log holds now."""
        ...

    async def commands(self, after: str) -> list[Command]:
        """Return the commands that stand in the log after a cursor."""
        ...

    async def next_command(self, after: str) -> None:
        """Return when a command newer than `after` stands in the log."""
        ...
