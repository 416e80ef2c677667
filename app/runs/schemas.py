"""A run as the API returns it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict
from typing_extensions import TypedDict

from app.contract.payloads import Ask, ErrorData
from app.contract.run import Run
from app.contract.status import RunStatus
from app.stores.tables import RunRow


class AskSchema(TypedDict):
    """A question that the run waits for. An answer must echo `ask` and fit `schema`."""

    ask: str
    name: str
    step: str
    proposal: Any
    schema: dict[str, Any]


class RunSchema(BaseModel):
    """A run. `cursor` is the last event it includes; `cost` is in US dollars, as far as prices are known.

    In lists, what only the log knows (`output`, `error`, `waiting_for`) is null.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    workflow: str
    status: RunStatus
    title: str
    input: Any
    output: Any
    error: ErrorData | None
    waiting_for: list[AskSchema] | None
    cursor: str
    tokens: int
    cost: float
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    epoch: int


def describe_run(row: RunRow, run: Run) -> RunSchema:
    """Describe a run by its log, and by its row where the log does not say it."""
    waiting = run.status is RunStatus.WAITING
    return RunSchema(
        id=row.id,
        workflow=row.workflow,
        status=run.status,
        title=row.title,
        input=row.input,
        output=run.output,
        error=run.error,
        waiting_for=[_describe_ask(ask) for ask in run.asks] if waiting else None,
        cursor=run.cursor,
        tokens=run.tokens,
        cost=run.cost,
        created_at=row.created_at,
        started_at=run.started_at,
        ended_at=run.ended_at,
        epoch=max(row.epoch, run.epoch),
    )


def _describe_ask(ask: Ask) -> AskSchema:
    return AskSchema(ask=ask.ask, name=ask.name, step=ask.step, proposal=ask.proposal, schema=ask.answer_schema)


def describe_row(row: RunRow) -> RunSchema:
    """Describe a run by its row alone, which is at most a moment behind the log."""
    return RunSchema(
        id=row.id,
        workflow=row.workflow,
        status=RunStatus(row.status),
        title=row.title,
        input=row.input,
        output=None,
        error=None,
        waiting_for=None,
        cursor=row.shipped,
        tokens=row.tokens,
        cost=row.cost,
        created_at=row.created_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        epoch=row.epoch,
    )
