"""Errors of workflows and their steps.

    WorkflowError
    ├── StepFailed          a step's final failure, as its caller sees it: the same at once and in a resumed run
    ├── StepTimeout         an attempt took longer than its timeout (transient)
    ├── CancelledInside     something that the step waited for was cancelled, but not the step
    ├── ExitInside          code inside the step would have ended the worker's process
    ├── DuplicatePath       two calls in one pass share a path
    ├── InputUnreadable     an argument has no JSON form
    ├── ResultUnreadable    a result has no JSON form, or does not come back from it
    ├── ResultTooLarge      a result is larger than a step may remember
    ├── NotShowable         what a step publishes or asks has no JSON form, or is too large
    ├── AskRefused          an ask that nobody could answer, or whose wait would interrupt others
    └── OutsideRun          a runtime function was called outside of a run, or for an attempt that is over

An error is worth another attempt when its `transient` is true; its `retry_after` (seconds) says when.
"""

from __future__ import annotations

from app.contract.errors import LonghandError
from app.contract.payloads import ErrorData


class WorkflowError(LonghandError):
    transient = False


class StepFailed(WorkflowError):
    """A step's final failure. `data` is what the log holds of its error; a resumed run knows nothing else of it.

    It is transient when the error was, or when the log does not say: another attempt is the safe side.
    """

    def __init__(self, data: ErrorData) -> None:
        super().__init__(data.message)
        self.data = data
        self.transient = data.transient is not False

    def is_kind(self, kind: type[BaseException]) -> bool:
        """Return whether the error was of this class, going by the class names that the log holds."""
        return self.data.transient is None or kind.__name__ in (self.data.kind, *self.data.bases)


class StepTimeout(WorkflowError):
    transient = True


class CancelledInside(WorkflowError):
    pass


class ExitInside(WorkflowError):
    pass


class DuplicatePath(WorkflowError):
    pass


class InputUnreadable(WorkflowError):
    pass


class ResultUnreadable(WorkflowError):
    pass


class ResultTooLarge(WorkflowError):
    pass


class NotShowable(WorkflowError):
    pass


class AskRefused(WorkflowError):
    pass


class OutsideRun(WorkflowError):
    pass


def is_transient(error: BaseException) -> bool:
    """Return whether the error may go away by itself: it says so (`transient`), or a connection broke or timed out."""
    transient = getattr(error, "transient", None)
    return bool(transient) if transient is not None else isinstance(error, ConnectionError | TimeoutError)


def clean_text(text: str) -> str:
    """Return the text with a question mark for each half character, which damaged input has and UTF-8 cannot hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def describe_error(error: BaseException, step: str) -> ErrorData:
    """Describe an error for the log: where it happened first, its class and bases, its message."""
    if isinstance(error, BaseExceptionGroup):
        first = describe_error(error.exceptions[0], getattr(error, "__longhand_step__", step))
        more = len(error.exceptions) - 1
        return first.model_copy(update={"message": f"{first.message} (and {more} more)"}) if more else first
    if isinstance(error, StepFailed):
        return error.data
    source = getattr(error, "__longhand_step__", step)
    message = clean_text(str(error)).strip() or f"{type(error).__name__} without a message"
    return ErrorData(
        kind=type(error).__name__,
        message=message[:2000],
        step=source,
        transient=is_transient(error),
        bases=[base.__name__ for base in type(error).__mro__[1:] if issubclass(base, Exception)],
    )


def mark_source(error: BaseException, step: str) -> None:
    """Note on the error itself which step it came from first."""
    if not hasattr(error, "__longhand_step__"):
        error.__longhand_step__ = step  # type: ignore[attr-defined]  # the callers of the step find it there
