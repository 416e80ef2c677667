"""The error boundary: a failure becomes a value, and siblings continue."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from app.contract.payloads import ErrorData
from worker.runtime.call import Invocation, StepCall
from worker.runtime.errors import describe_error

T = TypeVar("T")


class Ok(BaseModel, Generic[T]):
    """The outcome of a step that succeeded inside its boundary, with its value."""

    model_config = ConfigDict(frozen=True)

    ok: Literal[True] = True
    value: T


class Failed(BaseModel):
    """The outcome of a step that failed inside its boundary. The run ends as `incomplete`; the step can be retried."""

    model_config = ConfigDict(frozen=True)

    ok: Literal[False] = False
    error: ErrorData


async def settle(call: StepCall, attempt: Invocation) -> Ok[object] | Failed:
    """Execute, and return `Ok` or `Failed` instead of raising."""
    try:
        return Ok(value=await attempt())
    except Exception as error:
        return Failed(error=describe_error(error, call.path))
