"""State of a post's section, by its step."""

from __future__ import annotations

from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Step
from app.web.fragments.timeline import is_retry_pending


def can_be_rewritten(step: Step | None, root: Step | None) -> bool:
    """Return whether the section has a form for a rewrite: from the run's first end on, and for good.

    It stays while the run works again, since somebody may be typing into it.
    """
    if step is None or root is None:
        return False
    was_finished = step.success is not None or bool(step.generation)
    return was_finished and (root.status not in OPEN_STEPS or bool(root.generation))


def pending_guidance(step: Step | None) -> str:
    """Return the guidance for the section that no finished text follows yet; empty where there is none."""
    return step.guidance if step is not None and not _is_written(step) else ""


def _is_written(step: Step) -> bool:
    """Return whether the newest attempt succeeded and no retry was commanded since."""
    return step.latest is step.success and not is_retry_pending(step)


def section_status(step: Step | None) -> str:
    """Return the section's `data-status`."""
    if step is None or step.left:
        return "queued"
    if step.success is not None and step.status is StepStatus.SKIPPED:
        return "succeeded"
    return "cancelled" if step.status is StepStatus.SKIPPED else step.status.value
