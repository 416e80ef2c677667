"""The fold of one step: its attempts, which of them counts, and what is remembered of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from app.contract import events as e
from app.contract.cursors import START, parse_cursor
from app.contract.errors import CursorUnreadable
from app.contract.payloads import (
    Called,
    ErrorData,
    Message,
    Output,
    Progress,
    Published,
    StepBegun,
    StepDone,
    StepError,
)
from app.contract.status import OPEN_STEPS, StepStatus, parent_path

MOST_LOST = 10_000
"""The most characters that a piece of text which cannot be read may have had."""


@dataclass(slots=True)
class Note:
    """A message of a step, when it was said, and at which cursor."""

    cursor: str
    at: datetime
    text: str


@dataclass(slots=True)
class Attempt:
    """One try of a step, with all that belongs to it alone.

    `left_at` is when its worker left it open: to wait for a person or, where it is `lost`, because it died or handed
    over. `ended_at` of such an attempt is when the next one began, or the run ended.
    `marks` are the (length after it, cursor) of each piece of text, so that a page can tell which part of a text is
    newer than what a viewer has.
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
        """When its work was over; None while it goes on."""
        return self.left_at or self.ended_at

    @property
    def again_at(self) -> datetime | None:
        """When the next attempt begins, after one that failed and is followed by a pause."""
        if self.ended_at is None or self.pause <= 0:
            return None
        try:
            return self.ended_at + timedelta(seconds=self.pause)
        except OverflowError:  # no calendar goes that far
            return None

    @property
    def length(self) -> int:
        """How many characters were written."""
        return self.marks[-1][0] if self.marks else 0

    @property
    def text(self) -> str:
        """The attempt's text so far."""
        if len(self._pieces) > 1:
            self._pieces[:] = ["".join(self._pieces)]
        return self._pieces[0] if self._pieces else ""

    def write(self, cursor: str, offset: int, text: str) -> None:
        """Put `text` at `offset`. A piece that comes again changes nothing."""
        offset = max(offset, 0)
        if offset < self.length:
            self._pieces[:] = [self.text[:offset]]
            while self.marks and self.marks[-1][0] > offset:
                self.marks.pop()
        elif offset > self.length:
            # A piece in between could not be read. What follows keeps its place, as far as that is believable.
            self._pieces.append("\ufffd" * min(offset - self.length, MOST_LOST))
            offset = min(offset, self.length + MOST_LOST)
        self._pieces.append(text)
        self.marks.append((offset + len(text), cursor))


@dataclass(slots=True)
class Remembered:
    """The outcome of an attempt, which a resumed run may use: a success's `result`, or a final failure's `error`."""

    fingerprint: str
    inputs: dict[str, str]
    generation: str
    attempt: int = 0
    result: Any = None
    error: ErrorData | None = None


@dataclass(slots=True)
class Step:
    """A step as its log tells it. `born` is the cursor of its first event, `changed` of its last change.

    `failures` counts the failed attempts that used up one of the step's tries.
    """

    path: str
    born: str = START
    status: StepStatus = StepStatus.RUNNING
    attempts: list[Attempt] = field(default_factory=list)
    success: Attempt | None = None
    succeeded: Remembered | None = None
    failed: Remembered | None = None
    generation: str = ""
    guidance: str = ""
    failures: int = 0
    changed: str = START

    @property
    def parent(self) -> str:
        return parent_path(self.path)

    @property
    def latest(self) -> Attempt | None:
        return self.attempts[-1] if self.attempts else None

    @property
    def counting(self) -> Attempt | None:
        """The attempt that shows: a success until a newer one exists, else the newest."""
        return self.success or self.latest

    @property
    def left(self) -> bool:
        """Whether it is open and no worker is at it, because the pass that it was in is over."""
        return self.status is StepStatus.RUNNING and self.latest is not None and self.latest.left_at is not None

    @property
    def component(self) -> str:
        return self.latest.begun.component if self.latest else self.path.rpartition("/")[2].partition(":")[0]

    @property
    def label(self) -> str:
        """What people call the step."""
        if self.latest and self.latest.begun.label:
            return self.latest.begun.label
        return self.component.replace("-", " ").replace("_", " ").capitalize()

    @property
    def error(self) -> ErrorData | None:
        return self.latest.error if self.latest else None

    @property
    def tokens(self) -> int:
        return sum(call.input_tokens + call.output_tokens for a in self.attempts for call in a.calls)

    @property
    def cost(self) -> float:
        """US dollars, of all attempts, as far as prices are known."""
        return sum(call.cost or 0.0 for a in self.attempts for call in a.calls)

    @property
    def started_at(self) -> datetime | None:
        return self.attempts[0].started_at if self.attempts else None

    @property
    def ended_at(self) -> datetime | None:
        return self.latest.ended_at if self.latest and self.status not in OPEN_STEPS else None

    def attempt(self, number: int) -> Attempt | None:
        """The attempt of that number; searched from the newest."""
        return next((a for a in reversed(self.attempts) if a.number == number), None)

    def begin(self, event: e.StepStarted) -> None:
        """A new attempt: the text of the one before it is retracted unless it succeeded."""
        if self.latest and self.latest.status in OPEN_STEPS:
            self.latest.status, self.latest.ended_at = StepStatus.SKIPPED, event.at
        if self.latest and self.latest.begun.fingerprint != event.data.fingerprint:
            self.failures = 0
        self.attempts.append(Attempt(event.attempt, event.id, begun=event.data, started_at=event.at))
        self._catch_up(event.data.generation)
        self.status = StepStatus.RUNNING

    def pause(self, event: e.StepRetrying) -> None:
        """An attempt failed, and another follows."""
        if attempt := self.attempt(event.attempt):
            attempt.status, attempt.ended_at = StepStatus.FAILED, event.at
            attempt.error, attempt.pause = event.data.error, event.data.seconds
        self.failures += event.data.counted
        self.status = StepStatus.RETRYING

    def succeed(self, event: e.StepSucceeded) -> None:
        data: StepDone = event.data
        if attempt := self.attempt(event.attempt):
            if attempt.status is not StepStatus.SUCCEEDED:  # else it comes back after it was skipped for a while
                attempt.ended_at = event.at
            attempt.status, attempt.origin = StepStatus.SUCCEEDED, data.origin
            self.success = attempt
        self.succeeded = Remembered(data.fingerprint, data.inputs, data.generation, event.attempt, result=data.result)
        self.failed = None
        self._catch_up(data.generation)
        self.status = StepStatus.SUCCEEDED

    def fail(self, event: e.StepFailed) -> None:
        data: StepError = event.data
        if attempt := self.attempt(event.attempt):
            attempt.status, attempt.ended_at, attempt.error = StepStatus.FAILED, event.at, data.error
        if not data.stands:
            self.success = None
        self.failed = Remembered(data.fingerprint, data.inputs, data.generation, event.attempt, error=data.error)
        self._catch_up(data.generation)
        self.status = StepStatus.FAILED

    def leave(self, at: datetime, *, lost: bool) -> bool:
        """The pass ended before the step did, if it has begun. Gives whether that changes anything."""
        attempt = self.latest
        if attempt is None or attempt.status not in OPEN_STEPS or attempt.left_at is not None:
            return False
        attempt.left_at, attempt.lost = at, lost
        return True

    def forgive(self) -> None:
        """The step above tries again: what failed below it may be tried again too."""
        self.failed, self.failures = None, 0

    def reset(self, command: e.CommandRetry) -> None:
        """A retry names this step or one below it: what was remembered no longer matches."""
        self.generation = command.id
        if self.latest and self.status not in OPEN_STEPS:
            self.status = StepStatus.RETRYING

    def _catch_up(self, generation: str) -> None:
        """A worker executed this step for a newer retry than this fold takes: earlier versions took every retry."""
        if generation != self.generation:
            with suppress(CursorUnreadable):
                self.generation = max(generation or START, self.generation or START, key=parse_cursor)

    def skip(self, at: datetime) -> None:
        """The run's last pass did not come here, or the run ended before the step did."""
        self.status = StepStatus.SKIPPED
        if self.latest and self.latest.status in OPEN_STEPS:
            self.latest.status, self.latest.ended_at = StepStatus.SKIPPED, at

    def close(self, at: datetime) -> None:
        """The run ended first: a step that was only about to run again is what it was before, any other is skipped."""
        latest = self.latest
        if latest is not None and latest.status is StepStatus.SUCCEEDED:
            self.status = StepStatus.SUCCEEDED
        elif latest is not None and self.failed is not None and self.failed.attempt == latest.number:
            self.status = StepStatus.FAILED
        else:
            self.skip(at)

    def note(self, event: e.StepMessage | e.StepProgress | e.StepOutput | e.ObjectPublished | e.ModelCalled) -> None:
        """Something that an attempt said, wrote, published or spent."""
        attempt = self.attempt(event.attempt)
        if attempt is None:
            return
        match event.data:
            case Message(text=text):
                attempt.notes.append(Note(event.id, event.at, text))
            case Progress() as progress:
                attempt.progress = progress
            case Called() as call:
                attempt.calls.append(call)
            case Output(offset=offset, text=text):
                attempt.write(event.id, offset, text)
            case Published(name=name, value=value):
                attempt.objects[name] = value
