"""The trace of a run as a page: its steps in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.workspaces import Requester
from app.contract.run import Run
from app.contract.status import StepStatus
from app.contract.step import Attempt, Step
from app.contract.work_time import seconds_of
from app.http.templates import elapsed
from app.runs.output import children_of
from app.runs.queries import Queries
from app.stores.log import Log
from app.web.fragments.labels import labels_for
from app.web.responses import answer_known, answer_page, tag_page
from app.web.runs.trace_axis import Axis

_THINNEST = 0.4


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of the axis, in percent: an attempt with its status, or a `wait` for the next one."""

    start: float
    end: float
    status: str
    words: str

    @property
    def width(self) -> float:
        """Enough to be seen."""
        return max(round(self.end - self.start, 2), _THINNEST)


@dataclass(frozen=True, slots=True)
class Row:
    """One step; `depth` is how far it stands in the tree, `seconds` the sum of its attempts."""

    step: Step
    depth: int
    seconds: float
    bars: list[Bar]
    notes: list[str]


@get("/runs/{run_id:str}/trace")
async def show_trace(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
) -> Response[str]:
    row = await queries.find(run_id, requester.workspace_id)
    if known := answer_known(request, tag_page("trace", await queries.end_of(row), row.id)):
        return known
    run = await log.fold(run_id)
    return answer_page(
        request, "runs/trace", tag=tag_page("trace", run.cursor if run.ended else "", row.id), **shown_of(run)
    )


def shown_of(run: Run) -> dict[str, Any]:
    """What `runs/trace.html` shows of the run."""
    axis = Axis(tuple(run.work.spans(run.moved_at)))
    return {
        "run": run,
        "words": labels_for(run),
        "rows": list(_rows(run, axis)),
        "axis": axis,
        "attempts": sum(len(step.attempts) for step in run.steps.values()),
    }


def _rows(run: Run, axis: Axis) -> Iterator[Row]:
    children = children_of(run)

    def walk(path: str, depth: int) -> Iterator[Row]:
        for step in children.get(path, []):
            spans = [(attempt.started_at, _end(attempt, run)) for attempt in step.attempts]
            yield Row(step, depth, sum(map(seconds_of, spans)), list(_bars(step, run, axis)), _notes(step))
            yield from walk(step.path, depth + 1)

    return walk("", 0)


def _bars(step: Step, run: Run, axis: Axis) -> Iterator[Bar]:
    followers = [*step.attempts[1:], None]
    for attempt, follower in zip(step.attempts, followers, strict=True):
        ended = _end(attempt, run)
        words = f"Attempt {attempt.number}: {attempt.status.value}, {elapsed(attempt.started_at, ended)}"
        start = min(axis.place(attempt.started_at), 100 - _THINNEST)
        yield Bar(start, axis.place(ended), attempt.status.value, words)
        until = follower.started_at if follower else run.moved_at
        if attempt.status is StepStatus.FAILED and attempt.pause > 0 and until:
            yield Bar(axis.place(ended), axis.place(until), "wait", "")


def _end(attempt: Attempt, run: Run) -> datetime:
    """When its work was over, as far as the log tells."""
    return attempt.worked_until or run.moved_at or attempt.started_at


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
