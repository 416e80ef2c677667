"""Cursors of the last change of steps, and the attempt whose text a page shows."""

from __future__ import annotations

from app.contract.attempt import Attempt
from app.contract.status import StepStatus
from app.contract.step import Step
from app.live.fragments import latest


def settled_at(step: Step) -> str:
    """The cursor of the last change of a step's state and messages; text that only grew does not count."""
    attempt = step.latest
    if attempt is None or step.status is not StepStatus.RUNNING or attempt.progress or attempt.left_at:
        return step.changed
    if not attempt.marks or attempt.marks[-1][1] != step.changed:
        return step.changed
    return latest([attempt.born, *(note.cursor for note in attempt.notes[-1:])])


def changed_at(*steps: Step | None) -> str:
    """The cursor of the last change of any of these steps."""
    return latest(step.changed for step in steps if step is not None)


def shown_text(step: Step) -> Attempt | None:
    """The attempt whose text a page shows: never that of one that failed, or that another attempt took over from."""
    attempt = step.counting
    if attempt is None or not attempt.marks or attempt.status is StepStatus.FAILED:
        return None
    return attempt
