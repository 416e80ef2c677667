"""Cursors of the last change of steps, and the attempt whose text a page shows."""

from __future__ import annotations

from app.contract.status import StepStatus
from app.contract.step import Attempt, Step
from app.live.fragments import latest


def state_changed_at(step: Step) -> str:
    """Return the cursor of the last change of a step's state or messages, leaving out text that only grew."""
    attempt = step.latest
    if attempt is None or step.status is not StepStatus.RUNNING or attempt.progress or attempt.left_at:
        return step.changed
    if not attempt.marks or attempt.marks[-1][1] != step.changed:
        return step.changed
    return latest([attempt.born, *(note.cursor for note in attempt.notes[-1:])])


def changed_at(*steps: Step | None) -> str:
    """Return the cursor of the last change of any of these steps; `START` where there is none."""
    return latest(step.changed for step in steps if step is not None)


def shown_attempt(step: Step) -> Attempt | None:
    """Return the attempt whose text a page shows: never one that failed, or that another attempt replaced."""
    attempt = step.counting
    if attempt is None or not attempt.marks or attempt.status is StepStatus.FAILED:
        return None
    return attempt
