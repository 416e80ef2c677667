"""One attempt of a step: its times, its text, and whatever else it reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.contract import events as e
from app.contract.payloads import Called, ErrorData, Message, Output, Progress, Published, StepBegun
from app.contract.status import StepStatus

MOST_LOST = 10_000
"""The most characters that an unreadable piece of text is taken to have had."""

Report = e.StepMessage | e.StepProgress | e.StepOutput | e.ObjectPublished | e.ModelCalled
"""An event that a running attempt emits."""


@dataclass(slots=True)
class Note:
    """A message of a step, with its time and its cursor."""

    cursor: str
    at: datetime
    text: str


@dataclass(slots=True)
class Attempt:
    """One attempt of a step, with all that belongs to it alone. `born` is the cursor at which it began.

    `left_at` is when its worker left it open: to wait for a person or, where it is `lost`, because the worker died or
    handed the run over. `ended_at` of such an attempt is when the next one began, or the run ended.
    `marks` are the (length of the text after it, cursor) of each piece of text: they show which part of the text is
    newer than a viewer's cursor.
    """

    number: int
    born: str
    begun: StepBegun
    started_at: datetime
    status: StepStatus = StepStatus.RUNNING
    ended_at: datetime | None = None
    left_at: datetime | None = None
    lost: bool = False
    error: ErrorData | None = None
    pause: float = 0
    origin: str = "call"
    progress: Progress | None = None
    notes: list[Note] = field(default_factory=list)
    objects: dict[str, Any] = field(default_factory=dict)
    calls: list[Called] = field(default_factory=list)
    _pieces: list[str] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)

    @property
    def worked_until(self) -> datetime | None:
        """When work on it stopped; None while it goes on."""
        return self.left_at or self.ended_at

    @property
    def again_at(self) -> datetime | None:
        """When the next attempt begins, if this one failed and a pause follows; else None."""
        if self.ended_at is None or self.pause <= 0:
            return None
        try:
            return self.ended_at + timedelta(seconds=self.pause)
        except OverflowError:  # no calendar goes that far
            return None

    @property
    def length(self) -> int:
        """The number of characters written."""
        return self.marks[-1][0] if self.marks else 0

    @property
    def text(self) -> str:
        """The attempt's text so far."""
        if len(self._pieces) > 1:
            self._pieces[:] = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def apply(self, event: Report) -> None:
        """Apply an event that the attempt emitted while it ran."""
        match event.data:
            case Message(text=text):
                self.notes.append(Note(event.id, event.at, text))
            case Progress() as progress:
                self.progress = progress
            case Called() as call:
                self.calls.append(call)
            case Output(offset=offset, text=text):
                self.write(event.id, offset, text)
            case Published(name=name, value=value):
                self.objects[name] = value

    def write(self, cursor: str, offset: int, text: str) -> None:
        """Put `text` at `offset`. Writing the same piece again changes nothing."""
        offset = max(offset, 0)
        if offset < self.length:
            self._pieces[:] = [self.text[:offset]]
            while self.marks and self.marks[-1][0] > offset:
                self.marks.pop()
        elif offset > self.length:
            # A piece in between could not be read. Fill its place, within `MOST_LOST`, so that what follows keeps its
            # own.
            self._pieces.append("\ufffd" * min(offset - self.length, MOST_LOST))
            offset = min(offset, self.length + MOST_LOST)
        self._pieces.append(text)
        self.marks.append((offset + len(text), cursor))
