"""The values that steps published, read as this version knows them."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.contract.run import Run
from app.contract.status import StepStatus
from app.contract.step import Step

Model = TypeVar("Model", bound=BaseModel)


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


def read_value(model: type[Model], value: Any) -> Model | None:
    """The value as this version knows it; None for what does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def read_values(model: type[Model], values: Any) -> list[Model]:
    """The values of a list that fit."""
    found = [read_value(model, value) for value in values] if isinstance(values, list) else []
    return [value for value in found if value is not None]
