"""The page of a run's trace: its steps in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.workspaces import Requester
from app.contract.attempt import Attempt
from app.contract.run import Run
from app.contract.status import StepStatus
from app.contract.step import Step
from app.contract.work_time import seconds_of
from app.http.templates import elapsed
from app.runs.output import children_of
from app.runs.queries import Queries
from app.stores.log import Log
from app.web.forms import PageRequest
from app.web.fragments.labels import labels_for
from app.web.responses import respond_if_changed, respond_with_page
from app.web.runs.trace_axis import TraceAxis

_THINNEST = 0.4
"""Width of the thinnest bar, in percent of the axis."""


@dataclass(frozen=True, slots=True)
class TraceBar:
    """An attempt with its status, or a `wait` for the next one; `start` and `end` are in percent of the axis."""

    start: float
    end: float
    status: str
    title: str

    @property
    def width(self) -> float:
        """The bar's width in percent, wide enough to be seen."""
        return max(round(self.end - self.start, 2), _THINNEST)


@dataclass(frozen=True, slots=True)
class TraceRow:
    """One step; `depth` is its depth in the tree, `seconds` the sum of its attempts."""

    step: Step
    depth: int
    seconds: float
    bars: list[TraceBar]
    notes: list[str]


@get("/runs/{run_id:str}/trace")
async def show_trace(
    request: PageRequest,
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
) -> Response[Any]:
    row = await queries.find(run_id, requester.workspace_id)
    return await respond_if_changed(request, "trace", [row.id], row, queries, log, _respond_with_trace)


async def _respond_with_trace(run: Run) -> Response[str]:
    return respond_with_page("runs/trace", **trace_values(run))


def trace_values(run: Run) -> dict[str, Any]:
    """Return the values of `runs/trace.html` for the run."""
    axis = TraceAxis(tuple(run.work.spans(run.moved_at)))
    return {
        "run": run,
        "labels": labels_for(run),
        "rows": list(_rows(run, axis)),
        "axis": axis,
        "attempts": sum(len(step.attempts) for step in run.steps.values()),
    }


def _rows(run: Run, axis: TraceAxis) -> Iterator[TraceRow]:
    children = children_of(run)

    def walk(path: str, depth: int) -> Iterator[TraceRow]:
        for step in children.get(path, []):
            spans = [(attempt.started_at, _end(attempt, run)) for attempt in step.attempts]
            yield TraceRow(step, depth, sum(map(seconds_of, spans)), list(_bars(step, run, axis)), _notes(step))
            yield from walk(step.path, depth + 1)

    return walk("", 0)


def _bars(step: Step, run: Run, axis: TraceAxis) -> Iterator[TraceBar]:
    followers = [*step.attempts[1:], None]
    for attempt, follower in zip(step.attempts, followers, strict=True):
        ended = _end(attempt, run)
        title = f"Attempt {attempt.number}: {attempt.status.value}, {elapsed(attempt.started_at, ended)}"
        start = min(axis.place(attempt.started_at), 100 - _THINNEST)
        yield TraceBar(start, axis.place(ended), attempt.status.value, title)
        until = follower.started_at if follower else run.moved_at
        if attempt.status is StepStatus.FAILED and attempt.pause > 0 and until:
            yield TraceBar(axis.place(ended), axis.place(until), "wait", "")


def _end(attempt: Attempt, run: Run) -> datetime:
    """Return when the attempt's work was over, as far as the log shows."""
    return attempt.worked_until or run.moved_at or attempt.started_at


def _notes(step: Step) -> list[str]:
    """Return the policies around the call, why it ran or did not, and its errors."""
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
