"""The trace of a run as a page: its steps in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.workspaces import Who
from app.contract.fold import Run
from app.contract.runs import StepStatus
from app.contract.steps import Attempt, Step
from app.runs.output import children_of
from app.runs.queries import Queries
from app.runs.views.words import words_for
from app.stores.log import Log
from app.web.pages import answer_known, answer_page, tag_page

_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of time, in percent of the run's."""

    start: float
    width: float
    name: str


@dataclass(frozen=True, slots=True)
class Row:
    """One step; `depth` is how far it stands in the tree."""

    step: Step
    depth: int
    bars: list[Bar]
    notes: list[str]


@get("/runs/{run_id:str}/trace")
async def show_trace(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
) -> Response[str]:
    row = await queries.find(run_id, who.workspace_id)
    if known := answer_known(request, tag_page("trace", await queries.end_of(row), row.id)):
        return known
    run = await log.fold(run_id)
    begun, ended = _span(run)
    seconds = max((ended - begun).total_seconds(), 0.001) if begun and ended else 0.001
    return answer_page(
        request,
        "trace",
        tag=tag_page("trace", run.cursor if run.ended else "", row.id),
        row=row,
        run=run,
        words=words_for(run),
        rows=list(_rows(run, begun, seconds)),
        ticks=[(100 * n / _TICKS, seconds * n / _TICKS) for n in range(_TICKS + 1)],
        attempts=sum(len(step.attempts) for step in run.steps.values()),
        seconds=seconds,
    )


def _span(run: Run) -> tuple[datetime | None, datetime | None]:
    return run.created_at, run.ended_at or run.moved_at


def _rows(run: Run, begun: datetime | None, seconds: float) -> Iterator[Row]:
    children = children_of(run)

    def walk(path: str, depth: int) -> Iterator[Row]:
        for step in children.get(path, []):
            bars = [_bar(attempt, run, begun, seconds) for attempt in step.attempts] if begun else []
            yield Row(step, depth, bars, _notes(step))
            yield from walk(step.path, depth + 1)

    return walk("", 0)


def _bar(attempt: Attempt, run: Run, begun: datetime, seconds: float) -> Bar:
    ended = attempt.ended_at or run.moved_at or attempt.started_at
    start = (attempt.started_at - begun).total_seconds() / seconds * 100
    width = (ended - attempt.started_at).total_seconds() / seconds * 100
    failed = attempt.status is StepStatus.FAILED
    return Bar(round(start, 2), round(max(width, 0.4), 2), "attempt attempt--failed" if failed else "attempt")


def _notes(step: Step) -> list[str]:
    """What was around the call, and why it ran, or did not."""
    attempt = step.latest
    if attempt is None:
        return []
    notes = []
    if attempt.begun.policies:
        notes.append(", ".join(attempt.begun.policies))
    if attempt.begun.miss:
        notes.append(f"Ran because {attempt.begun.miss}")
    if attempt.origin != "call":
        notes.append(f"From the {attempt.origin}")
    if step.status is StepStatus.SKIPPED and attempt.status is StepStatus.SUCCEEDED:
        notes.append("Not visited by the last pass")
    notes += [f"Attempt {one.number}: {one.error.message}" for one in step.attempts if one.error]
    return notes
