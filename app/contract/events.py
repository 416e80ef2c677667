"""The events of a run's log: one frozen class for each type, in one tagged union.

An event is stored as JSON `{type, at, step, attempt, epoch, data}`; its `id` is the cursor that the log assigned to it.
Facts carry the epoch that appended them, commands carry 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.contract.payloads import (
    AnswerData,
    Applied,
    Called,
    ErrorData,
    HandedOver,
    Incomplete,
    Message,
    Nothing,
    Output,
    Progress,
    Published,
    Recovered,
    Refused,
    Result,
    RetryData,
    Retrying,
    Skipped,
    Started,
    StepBegun,
    StepDone,
    StepError,
    Submitted,
    WaitingData,
)


def now() -> datetime:
    """Return the present time in UTC, in whole milliseconds as in cursors."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time with a zone. One that is read without a zone is taken as UTC, so that any two can be compared."""


class Envelope(BaseModel):
    """The fields of all events. `step` is a path, empty for the run as a whole; `attempt` counts from 1 in a step."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = ""
    type: str
    at: Moment = Field(default_factory=now)
    step: str = ""
    attempt: int = 0
    epoch: int = 0


class RunSubmitted(Envelope):
    type: Literal["run.submitted"] = "run.submitted"
    data: Submitted


class RunStarted(Envelope):
    type: Literal["run.started"] = "run.started"
    data: Started


class RunWaiting(Envelope):
    type: Literal["run.waiting"] = "run.waiting"
    data: WaitingData


class RunHandedOver(Envelope):
    type: Literal["run.handed_over"] = "run.handed_over"
    data: HandedOver


class RunRecovered(Envelope):
    type: Literal["run.recovered"] = "run.recovered"
    data: Recovered


class RunSucceeded(Envelope):
    type: Literal["run.succeeded"] = "run.succeeded"
    data: Result


class RunIncomplete(Envelope):
    type: Literal["run.incomplete"] = "run.incomplete"
    data: Incomplete


class RunFailed(Envelope):
    type: Literal["run.failed"] = "run.failed"
    data: ErrorData


class RunCancelled(Envelope):
    type: Literal["run.cancelled"] = "run.cancelled"
    data: Nothing = Nothing()


class StepStarted(Envelope):
    type: Literal["step.started"] = "step.started"
    data: StepBegun


class StepMessage(Envelope):
    type: Literal["step.message"] = "step.message"
    data: Message


class StepProgress(Envelope):
    type: Literal["step.progress"] = "step.progress"
    data: Progress


class StepOutput(Envelope):
    type: Literal["step.output"] = "step.output"
    data: Output


class StepRetrying(Envelope):
    type: Literal["step.retrying"] = "step.retrying"
    data: Retrying


class StepSucceeded(Envelope):
    type: Literal["step.succeeded"] = "step.succeeded"
    data: StepDone


class StepFailed(Envelope):
    type: Literal["step.failed"] = "step.failed"
    data: StepError


class StepSkipped(Envelope):
    type: Literal["step.skipped"] = "step.skipped"
    data: Skipped = Skipped()


class ModelCalled(Envelope):
    type: Literal["model.called"] = "model.called"
    data: Called


class ObjectPublished(Envelope):
    type: Literal["object.published"] = "object.published"
    data: Published


class CommandCancel(Envelope):
    type: Literal["command.cancel"] = "command.cancel"
    data: Nothing = Nothing()


class CommandRetry(Envelope):
    type: Literal["command.retry"] = "command.retry"
    data: RetryData


class CommandAnswer(Envelope):
    type: Literal["command.answer"] = "command.answer"
    data: AnswerData


class CommandApplied(Envelope):
    type: Literal["command.applied"] = "command.applied"
    data: Applied


class CommandRefused(Envelope):
    type: Literal["command.refused"] = "command.refused"
    data: Refused


class Unreadable(Envelope):
    """An entry that this version cannot read (newer, or damaged): shown as such, and skipped by every fold."""

    type: str = "unreadable"
    data: dict[str, Any] = {}
    reason: str = ""


ReadableEvent = Annotated[
    RunSubmitted
    | RunStarted
    | RunWaiting
    | RunHandedOver
    | RunRecovered
    | RunSucceeded
    | RunIncomplete
    | RunFailed
    | RunCancelled
    | StepStarted
    | StepMessage
    | StepProgress
    | StepOutput
    | StepRetrying
    | StepSucceeded
    | StepFailed
    | StepSkipped
    | ModelCalled
    | ObjectPublished
    | CommandCancel
    | CommandRetry
    | CommandAnswer
    | CommandApplied
    | CommandRefused,
    Field(discriminator="type"),
]
Event = ReadableEvent | Unreadable
Command = CommandCancel | CommandRetry | CommandAnswer
