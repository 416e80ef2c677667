"""The objects that steps published, read as this version's models."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from app.contract.run import Run
from app.contract.status import StepStatus
from app.contract.step import Step

Model = TypeVar("Model", bound=BaseModel)


def root_of(run: Run) -> Step | None:
    """Return the step that is the workflow itself, if it has begun."""
    return run.steps.get(run.workflow)


def find_object(step: Step | None, name: str) -> Any:
    """Return the object that the step published under this name, None without one.

    The newest attempt that did not fail counts; if none of those published it, the newest of all that did.
    """
    if step is None:
        return None
    newest = list(reversed(step.attempts))
    unfailed = [attempt for attempt in newest if attempt.status is not StepStatus.FAILED]
    return next((a.objects[name] for a in (*unfailed, *newest) if name in a.objects), None)


def read_value(model: type[Model], value: Any) -> Model | None:
    """Return the value as this version's model; None if it does not fit."""
    try:
        return model.model_validate(value)
    except ValidationError:
        return None


def read_values(model: type[Model], values: Any) -> list[Model]:
    """Return the values of a list that fit the model."""
    found = [read_value(model, value) for value in values] if isinstance(values, list) else []
    return [value for value in found if value is not None]
