"""What steps published and how they stand, as fragments need it: with the cursor of the last change."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.contract.fold import Run
from app.contract.runs import StepStatus
from app.contract.steps import Attempt, Step
from app.runs.patching import latest

Value = TypeVar("Value", bound=BaseModel)


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


def root_of(run: Run) -> Step | None:
    """The step that is the workflow itself."""
    return run.steps.get(run.workflow)


def find_object(step: Step | None, name: str) -> Any:
    """What the step published under this name: by its newest attempt that did not fail, else by any; None without."""
    if step is None:
        return None
    newest = list(reversed(step.attempts))
    unfailed = [attempt for attempt in newest if attempt.status is not StepStatus.FAILED]
    return next((a.objects[name] for a in (*unfailed, *newest) if name in a.objects), None)


def read_value(model: type[Value], value: Any) -> Value | None:
    """The value as this version knows it; None for what does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def read_values(model: type[Value], values: Any) -> list[Value]:
    """The values of a list that fit."""
    found = [read_value(model, value) for value in values] if isinstance(values, list) else []
    return [value for value in found if value is not None]


def shown_text(step: Step) -> Attempt | None:
    """The attempt whose text a page shows: never that of one that failed, or that another attempt took over from."""
    attempt = step.counting
    if attempt is None or not attempt.marks or attempt.status is StepStatus.FAILED:
        return None
    return attempt


__all__ = ["changed_at", "find_object", "read_value", "read_values", "root_of", "settled_at", "shown_text"]
