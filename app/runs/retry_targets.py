"""Where a retry that names no step begins."""

from __future__ import annotations

from app.contract.run import Run
from app.contract.status import RunStatus, StepStatus
from app.contract.step import Step


def steps_to_retry(run: Run) -> list[str]:
    """All that failed, and in a run that was stopped the step in which it was: what is above that runs again too.

    None, where the run was stopped before its first step.
    """
    failed = [step.path for step in run.failed_steps]
    stopped = [step for step in run.steps.values() if run.status is RunStatus.CANCELLED and _was_interrupted(step)]
    if stopped:
        failed.append(max(stopped, key=lambda step: step.path.count("/")).path)
    return failed


def _was_interrupted(step: Step) -> bool:
    return step.status is StepStatus.SKIPPED and (step.latest is None or step.latest.status is not StepStatus.SUCCEEDED)
