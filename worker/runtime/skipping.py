"""Leftovers: steps of which nothing comes any more, and of which nobody else would say so in the log."""

from __future__ import annotations

from collections.abc import Iterable

from app.contract import events as e
from app.contract.payloads import Skipped
from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Step
from worker.runtime.execution import Execution

NO_LONGER = "the run no longer comes here"
INTERRUPTED = "it was interrupted"


def skip_unvisited(execution: Execution, steps: Iterable[Step]) -> None:
    """Skip what this pass did not come to."""
    for step in execution.unvisited(steps):
        if step.status is not StepStatus.SKIPPED:
            _skip(execution, step, NO_LONGER)


def skip_open(execution: Execution, steps: Iterable[Step]) -> None:
    """Skip what this pass began, or was about to try again, and will not end.

    A step that succeeded and was only about to be done anew is left alone: its success may stand.
    """
    for step in steps:
        done_before = step.latest is not None and step.latest.status is StepStatus.SUCCEEDED
        if step.status in OPEN_STEPS and step.path in execution.visited and not done_before:
            _skip(execution, step, INTERRUPTED)


def _skip(execution: Execution, step: Step, reason: str) -> None:
    execution.emit(e.StepSkipped(step=step.path, epoch=execution.epoch, data=Skipped(reason=reason)))
