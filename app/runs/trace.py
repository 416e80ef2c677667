"""A run's trace: the tree of its steps, with attempts, times, tokens and cost."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from app.contract.attempt import Attempt
from app.contract.payloads import Called, ErrorData
from app.contract.run import Run
from app.contract.status import RunStatus, StepStatus
from app.contract.step import Step
from app.runs.output import children_of


class AttemptSchema(BaseModel):
    """One try. `miss` says why nothing remembered was used, `origin` where the result came from, `pause` how many
    seconds passed before the next try."""

    model_config = ConfigDict(frozen=True)

    number: int
    status: StepStatus
    started_at: datetime
    ended_at: datetime | None
    seconds: float | None
    error: ErrorData | None
    origin: str
    policies: list[str]
    miss: str
    pause: float
    tokens: int
    cost: float
    calls: list[Called]


class StepSchema(BaseModel):
    """A step with the steps inside it. Attempt-wise fields are those of its newest attempt; sums are of all."""

    model_config = ConfigDict(frozen=True)

    path: str
    component: str
    label: str
    status: StepStatus
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    tokens: int
    cost: float
    error: ErrorData | None
    origin: str
    policies: list[str]
    miss: str
    attempts: list[AttemptSchema]
    steps: list[StepSchema]


class TraceSchema(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    workflow: str
    version: str
    status: RunStatus
    cursor: str
    passes: int
    started_at: datetime | None
    ended_at: datetime | None
    tokens: int
    cost: float
    steps: list[StepSchema]


def trace_run(run: Run) -> TraceSchema:
    """Build the trace of a run from its log."""
    return TraceSchema(
        id=run.id,
        workflow=run.workflow,
        version=run.version,
        status=run.status,
        cursor=run.cursor,
        passes=run.passes,
        started_at=run.started_at,
        ended_at=run.ended_at,
        tokens=run.tokens,
        cost=run.cost,
        steps=_describe_steps(children_of(run), ""),
    )


def _describe_steps(children: dict[str, list[Step]], path: str) -> list[StepSchema]:
    return [_describe_step(step, _describe_steps(children, step.path)) for step in children.get(path, [])]


def _describe_step(step: Step, inside: list[StepSchema]) -> StepSchema:
    latest = step.latest
    return StepSchema(
        path=step.path,
        component=step.component,
        label=step.label,
        status=step.status,
        started_at=step.started_at,
        ended_at=step.ended_at,
        seconds=_seconds(step.started_at, step.ended_at),
        tokens=step.tokens,
        cost=step.cost,
        error=step.error,
        origin=latest.origin if latest else "",
        policies=latest.begun.policies if latest else [],
        miss=latest.begun.miss if latest else "",
        attempts=[_describe_attempt(attempt) for attempt in step.attempts],
        steps=inside,
    )


def _describe_attempt(attempt: Attempt) -> AttemptSchema:
    return AttemptSchema(
        number=attempt.number,
        status=attempt.status,
        started_at=attempt.started_at,
        ended_at=attempt.ended_at,
        seconds=_seconds(attempt.started_at, attempt.ended_at),
        error=attempt.error,
        origin=attempt.origin,
        policies=attempt.begun.policies,
        miss=attempt.begun.miss,
        pause=attempt.pause,
        tokens=sum(call.input_tokens + call.output_tokens for call in attempt.calls),
        cost=sum(call.cost or 0.0 for call in attempt.calls),
        calls=attempt.calls,
    )


def _seconds(begun: datetime | None, ended: datetime | None) -> float | None:
    return (ended - begun).total_seconds() if begun and ended else None
