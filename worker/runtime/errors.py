"""What can go wrong in a workflow.

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
    """`data` is what the log keeps of the error, and all that a caller can go by: a resumed run has nothing else.

    It is transient when the error was, or when the log does not know: another attempt is the safe side.
    """

    def __init__(self, data: ErrorData) -> None:
        super().__init__(data.message)
        self.data = data
        self.transient = data.transient is not False

    def is_kind(self, named: type[BaseException]) -> bool:
        """Whether the error was of this class, going by what the log keeps of it."""
        return self.data.transient is None or named.__name__ in (self.data.kind, *self.data.bases)


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
    """Whether it may go away by itself: errors that say so (`transient`), broken connections and timeouts."""
    said = getattr(error, "transient", None)
    return bool(said) if said is not None else isinstance(error, ConnectionError | TimeoutError)


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
    return ErrorData(
        kind=type(error).__name__,
        message=message[:2000],
        step=source,
        transient=is_transient(error),
        bases=[base.__name__ for base in type(error).__mro__[1:] if issubclass(base, Exception)],
    )


def mark_source(error: BaseException, step: str) -> None:
    """Remember on the error itself which step it came from first."""
    if not hasattr(error, "__longhand_step__"):
        error.__longhand_step__ = step  # type: ignore[attr-defined]  # an error carries its origin up the steps
