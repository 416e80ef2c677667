"""What can go wrong in a workflow.

    WorkflowError
    ├── StepFailed          a step's final failure, as its caller sees it: the same at once and in a resumed run
    ├── StepTimeout         an attempt took longer than its timeout (transient)
    ├── CancelledInside     something that the step waited for was cancelled, but not the step
    ├── DuplicatePath       two calls in one pass share a path
    ├── InputUnreadable     an argument has no JSON form
    ├── ResultUnreadable    a result has no JSON form, or does not come back from it
    ├── ResultTooLarge      a result is larger than a step may remember
    └── OutsideRun          a runtime function was called outside of a run

An error is worth another attempt when its `transient` is true; its `retry_after` (seconds) says when.
"""

from __future__ import annotations

from app.contract.errors import LonghandError
from app.contract.payloads import ErrorData


class WorkflowError(LonghandError):
    transient = False


class StepFailed(WorkflowError):
    """`data` is what the log keeps of it; `cause` the error itself, None when only the log remembers it."""

    def __init__(self, data: ErrorData, cause: BaseException | None = None) -> None:
        super().__init__(data.message)
        self.data = data
        self.cause = cause


class StepTimeout(WorkflowError):
    transient = True


class CancelledInside(WorkflowError):
    pass


class DuplicatePath(WorkflowError):
    pass


class InputUnreadable(WorkflowError):
    pass


class ResultUnreadable(WorkflowError):
    pass


class ResultTooLarge(WorkflowError):
    pass


class OutsideRun(WorkflowError):
    pass


def clean_text(text: str) -> str:
    """Text that has a UTF-8 form: half characters, which come from damaged input, are replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def describe_error(error: BaseException, step: str) -> ErrorData:
    """An error as the log keeps it: where it happened first, what kind it is, and its message."""
    if isinstance(error, BaseExceptionGroup):
        first = describe_error(error.exceptions[0], getattr(error, "__longhand_step__", step))
        more = len(error.exceptions) - 1
        return first.model_copy(update={"message": f"{first.message} (and {more} more)"}) if more else first
    if isinstance(error, StepFailed):
        return error.data
    source = getattr(error, "__longhand_step__", step)
    message = clean_text(str(error)).strip() or f"{type(error).__name__} without a message"
    return ErrorData(kind=type(error).__name__, message=message[:2000], step=source)


def mark_source(error: BaseException, step: str) -> None:
    """Remember on the error itself which step it came from first."""
    if not hasattr(error, "__longhand_step__"):
        error.__longhand_step__ = step  # type: ignore[attr-defined]  # an error carries its origin up the steps
