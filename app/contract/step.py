"""The fold of one step: its attempts, which of them counts, and the results that a resumed run may use."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.contract import events as e
from app.contract.attempt import Attempt, Report
from app.contract.cursors import START, parse_cursor
from app.contract.errors import CursorUnreadable
from app.contract.payloads import ErrorData, StepDone, StepError
from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step_paths import parent_path


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
    """A step after some of its run's events. `born` is the cursor of its first event, `changed` of its last change.

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
        """The attempt that pages show: a success until a newer one exists, else the newest."""
        return self.success or self.latest

    @property
    def left(self) -> bool:
        """Return whether the step is open but no worker is at it, because the pass over the workflow has ended."""
        return self.status is StepStatus.RUNNING and self.latest is not None and self.latest.left_at is not None

    @property
    def component(self) -> str:
        return self.latest.begun.component if self.latest else self.path.rpartition("/")[2].partition(":")[0]

    @property
    def label(self) -> str:
        """The step's name for people."""
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
        """Return the attempt of this number, if there is one."""
        return next((a for a in reversed(self.attempts) if a.number == number), None)

    def begin(self, event: e.StepStarted) -> None:
        """Add a new attempt. Close the one before it, whose text is retracted unless it succeeded."""
        self._skip_attempt(event.at)
        if self.latest and self.latest.begun.fingerprint != event.data.fingerprint:
            self.failures = 0
        self.attempts.append(Attempt(event.attempt, event.id, begun=event.data, started_at=event.at))
        self._raise_generation(event.data.generation)
        self.status = StepStatus.RUNNING

    def retry(self, event: e.StepRetrying) -> None:
        """Record that an attempt failed and another follows."""
        if attempt := self.attempt(event.attempt):
            attempt.status, attempt.ended_at = StepStatus.FAILED, event.at
            attempt.error, attempt.pause = event.data.error, event.data.seconds
        self.failures += event.data.counted
        self.status = StepStatus.RETRYING

    def succeed(self, event: e.StepSucceeded) -> None:
        """Record that an attempt succeeded: from now on it counts."""
        data: StepDone = event.data
        if attempt := self.attempt(event.attempt):
            if attempt.status is not StepStatus.SUCCEEDED:  # else it was skipped for a while, and is used again
                attempt.ended_at = event.at
            attempt.status, attempt.origin = StepStatus.SUCCEEDED, data.origin
            self.success = attempt
        self.succeeded = Remembered(data.fingerprint, data.inputs, data.generation, event.attempt, result=data.result)
        self.failed = None
        self._raise_generation(data.generation)
        self.status = StepStatus.SUCCEEDED

    def fail(self, event: e.StepFailed) -> None:
        """Record that the step failed for good."""
        data: StepError = event.data
        if attempt := self.attempt(event.attempt):
            attempt.status, attempt.ended_at, attempt.error = StepStatus.FAILED, event.at, data.error
        if not data.stands:
            self.success = None
        self.failed = Remembered(data.fingerprint, data.inputs, data.generation, event.attempt, error=data.error)
        self._raise_generation(data.generation)
        self.status = StepStatus.FAILED

    def leave(self, at: datetime, *, lost: bool) -> bool:
        """Record that the pass over the workflow ended before the step did. Return whether that changed the step."""
        attempt = self.latest
        if attempt is None or attempt.status not in OPEN_STEPS or attempt.left_at is not None:
            return False
        attempt.left_at, attempt.lost = at, lost
        return True

    def clear_failures(self) -> None:
        """Let the step be tried again although it failed, because the step above it is tried again."""
        self.failed, self.failures = None, 0

    def reset(self, command: e.CommandRetry) -> None:
        """Start a new generation, which no remembered outcome matches: a retry names this step or one below it."""
        self.generation = command.id
        if self.latest and self.status not in OPEN_STEPS:
            self.status = StepStatus.RETRYING

    def skip(self, at: datetime) -> None:
        """Record that the run's last pass did not come to this step, or that the run ended before the step did."""
        self.status = StepStatus.SKIPPED
        self._skip_attempt(at)

    def close(self, at: datetime) -> None:
        """Close an open step at the run's end: one that had ended before gets its old status, any other is skipped."""
        latest = self.latest
        if latest is not None and latest.status is StepStatus.SUCCEEDED:
            self.status = StepStatus.SUCCEEDED
        elif latest is not None and self.failed is not None and self.failed.attempt == latest.number:
            self.status = StepStatus.FAILED
        else:
            self.skip(at)

    def report(self, event: Report) -> None:
        """Apply an event that one of the attempts emitted while it ran. Ignore one of an unknown attempt."""
        if attempt := self.attempt(event.attempt):
            attempt.apply(event)

    def _skip_attempt(self, at: datetime) -> None:
        if self.latest and self.latest.status in OPEN_STEPS:
            self.latest.status, self.latest.ended_at = StepStatus.SKIPPED, at

    def _raise_generation(self, generation: str) -> None:
        """Adopt the generation that a worker executed: earlier versions took every retry, this fold takes fewer."""
        if generation != self.generation:
            with suppress(CursorUnreadable):
                self.generation = max(generation or START, self.generation or START, key=parse_cursor)
