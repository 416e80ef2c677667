"""Skipping: steps that this pass will not end, or did not call, are closed in the log."""

from __future__ import annotations

from collections.abc import Iterable

from app.contract import events as e
from app.contract.payloads import Skipped
from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Step
from worker.runtime.execution import Execution

NOT_VISITED = "the run no longer comes here"
INTERRUPTED = "it was interrupted"


def skip_unvisited(execution: Execution, steps: Iterable[Step]) -> None:
    """Skip those of `steps` that this pass did not call."""
    for event in unvisited_events(execution, steps):
        execution.emit(event)


def unvisited_events(execution: Execution, steps: Iterable[Step]) -> list[e.Event]:
    """Return the events that skip those of `steps` which this pass did not call."""
    unvisited = [step for step in execution.unvisited(steps) if step.status is not StepStatus.SKIPPED]
    return [_skip_event(execution, step, NOT_VISITED) for step in unvisited]


def skip_open(execution: Execution, steps: Iterable[Step]) -> None:
    """Skip those of `steps` that this pass began, or was about to try again, and will not end.

    A step that succeeded and was only about to be done anew is left alone: its success may stand.
    """
    for step in steps:
        done_before = step.latest is not None and step.latest.status is StepStatus.SUCCEEDED
        if step.status in OPEN_STEPS and step.path in execution.visited and not done_before:
            execution.emit(_skip_event(execution, step, INTERRUPTED))


def _skip_event(execution: Execution, step: Step, reason: str) -> e.StepSkipped:
    return e.StepSkipped(step=step.path, epoch=execution.epoch, data=Skipped(reason=reason))
