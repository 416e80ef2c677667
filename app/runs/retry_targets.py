"""The steps at which a retry begins that names none."""

from __future__ import annotations

from app.contract.run import Run
from app.contract.status import RunStatus, StepStatus
from app.contract.step import Step


def steps_to_retry(run: Run) -> list[str]:
    """Return the paths of all steps that failed, and of the innermost step in which a cancelled run was interrupted.

    The steps above each of them run again too. The list is empty for a run that was cancelled before its first step.
    """
    failed = [step.path for step in run.failed_steps]
    stopped = [step for step in run.steps.values() if run.status is RunStatus.CANCELLED and _was_interrupted(step)]
    if stopped:
        failed.append(max(stopped, key=lambda step: step.path.count("/")).path)
    return failed


def _was_interrupted(step: Step) -> bool:
    return step.status is StepStatus.SKIPPED and (step.latest is None or step.latest.status is not StepStatus.SUCCEEDED)
