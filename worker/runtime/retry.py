"""Retry: another attempt after a failure that may go away."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.contract.events import now
from app.contract.status import StepStatus
from worker.runtime.call import Invocation, StepCall
from worker.runtime.draining import block_if_draining
from worker.runtime.errors import StepFailed, describe_error, is_transient, mark_source
from worker.runtime.timeout import uncharged

LONGEST_RETRY_AFTER = 600.0
"""The longest pause (seconds) that a provider may ask for; asking for a longer one is a failure."""

MOST_RETRY_AFTERS = 20
"""How often a provider may ask for a pause before that counts as a failure."""

MOST_DOUBLINGS = 60
"""The most times that a pause is doubled: longer than any cap, and never too large for a float."""


class Backoff(Protocol):
    """The pause (seconds) after the nth failure, counted from 1."""

    def __call__(self, failure: int) -> float: ...


ErrorTest = Callable[[BaseException], bool]
"""Tells whether another attempt after this error may succeed."""

TRANSIENT: ErrorTest = is_transient
"""Errors that may go away by themselves."""


@dataclass(frozen=True, slots=True)
class exponential:
    """`first` seconds, doubled with each failure up to `cap`, less up to half by chance so that retries spread."""

    first: float = 0.5
    cap: float = 30.0
    jitter: bool = True

    def __call__(self, failure: int) -> float:
        full = min(self.first * 2.0 ** min(failure - 1, MOST_DOUBLINGS), self.cap)
        return full * random.uniform(0.5, 1.0) if self.jitter else full


@dataclass(frozen=True, slots=True)
class Retry:
    """At most `attempts` in all, for the failures in `on`: exception types, or a function that tests an error.

    An error's `retry_after` (seconds) is honoured and uses up no attempt. When a step below failed, types are compared
    by name, and a function gets the `StepFailed`: both use what the log holds, so that a resumed run decides alike.
    """

    attempts: int = 3
    wait: Backoff = exponential()
    on: ErrorTest | type[Exception] | tuple[type[Exception], ...] = TRANSIENT

    def applies_to(self, error: BaseException) -> bool:
        """Return whether this error is one of those in `on`."""
        if not isinstance(self.on, type | tuple):
            return self.on(error)
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
        return any(isinstance(error, kind) or (isinstance(error, StepFailed) and error.is_kind(kind)) for kind in kinds)

    def __str__(self) -> str:
        return f"retry {self.attempts}×"


NEVER = Retry(attempts=1)


async def use_retries(call: StepCall, retry: Retry, attempt: Invocation) -> object:
    """Execute, and again after a pause, until it succeeds or the last attempt failed."""
    pauses_asked_for = 0
    await _finish_pause(call)
    while True:
        await block_if_draining(call)
        if not call.begun:
            _check_attempts_left(call, retry)
        call.begin_attempt()
        try:
            return await attempt()
        except Exception as error:
            mark_source(error, call.path)
            pause = _read_retry_after(error, pauses_asked_for)
            counted = pause is None
            failures = (call.step.failures if call.step else 0) + 1
            if not retry.applies_to(error) or (counted and failures >= retry.attempts):
                raise
            if pause is None:
                pause = retry.wait(failures)
            else:
                pauses_asked_for += 1
            call.schedule_retry(describe_error(error, call.path), pause, counted=counted)
        with uncharged():
            await call.execution.sleep(pause)


async def _finish_pause(call: StepCall) -> None:
    """Wait for what is left of a pause between two attempts in which an earlier pass was interrupted."""
    step = call.step
    latest = step.latest if step else None
    if step is None or latest is None or latest.ended_at is None or not latest.pause:
        return
    if step.status is StepStatus.RETRYING and latest.begun.fingerprint == call.fingerprint:
        left = latest.pause - (now() - latest.ended_at).total_seconds()
        with uncharged():
            await call.execution.sleep(max(0.0, min(left, latest.pause)))


def _check_attempts_left(call: StepCall, retry: Retry) -> None:
    """Raise the last failure when an earlier pass used up all attempts, and was interrupted in the fallback."""
    step = call.step
    if step is None or step.latest is None or step.latest.begun.fingerprint != call.fingerprint:
        return
    error = next((attempt.error for attempt in reversed(step.attempts) if attempt.error), None)
    if step.failures >= retry.attempts and error is not None:
        raise StepFailed(error)


def _read_retry_after(error: BaseException, pauses_asked_for: int) -> float | None:
    """Return the pause (seconds) that the error asks for, or None when it asks for none that is granted."""
    try:
        pause = float(getattr(error, "retry_after", None))  # type: ignore[arg-type]  # whatever it is, often text
    except (TypeError, ValueError, OverflowError):
        return None
    if pauses_asked_for >= MOST_RETRY_AFTERS or not pause <= LONGEST_RETRY_AFTER:  # so written that NaN is none either
        return None
    return max(0.0, pause)
