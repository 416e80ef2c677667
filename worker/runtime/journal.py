"""`Journal`: how the runtime reaches a run's log. It knows of no store; tests give it a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from app.contract.events import Command, Event
from app.contract.run import Run

Release = Literal["ended", "parked", "queued"]
"""How a run is let go: at its end, to wait for an answer, or for another worker."""


class Journal(Protocol):
    """One epoch's access to one run's log.

    Every method raises `StaleEpoch` once another epoch holds the run; then nothing more is written.
    """

    def emit(self, event: Event) -> None:
        """Queue a fact. Facts reach the log in the order they were emitted."""
        ...

    async def commit(self) -> None:
        """Return when all that was emitted stands in the log."""
        ...

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        """Append what was emitted and `events`, and let go of the run, in one call.

        Raises `CommandPending` when a command newer than `handled` stands in the log: nothing was let go.
        """
        ...

    async def fold(self) -> Run:
        """The run's state as its log tells it now."""
        ...

    async def commands(self, after: str) -> list[Command]:
        """The commands that stand in the log after a cursor."""
        ...

    async def next_command(self, after: str) -> None:
        """Return when a command newer than `after` stands in the log."""
        ...
