"""Retry: another attempt after a failure that is worth one."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from app.contract.events import now
from app.contract.status import StepStatus
from worker.runtime.call import Invocation, StepCall
from worker.runtime.draining import wait_unless_draining
from worker.runtime.errors import StepFailed, describe_error, is_transient, mark_source
from worker.runtime.timeout import uncharged

LONGEST_RETRY_AFTER = 600.0
"""A provider that asks for a longer pause (seconds) has failed."""

MOST_RETRY_AFTERS = 20
"""How often a provider may ask for a pause before it counts as failed."""

MOST_DOUBLINGS = 60
"""Longer than any pause, and no number that is too large for a float."""


class Pause(Protocol):
    """How long (seconds) to wait after the nth failure, which counts from 1."""

    def __call__(self, failure: int) -> float: ...


Worth = Callable[[BaseException], bool]


TRANSIENT: Worth = is_transient
"""What may go away by itself."""


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
    """At most `attempts` in all, for the failures in `on`: exception types, or a function that judges one.

    An error's `retry_after` (seconds) is honoured and uses up no attempt. When a step below failed, types are compared
    by name, and a function judges the `StepFailed`: both go by what the log keeps, so that a resumed run decides alike.
    """

    attempts: int = 3
    wait: Pause = exponential()
    on: Worth | type[Exception] | tuple[type[Exception], ...] = TRANSIENT

    def is_worth(self, error: BaseException) -> bool:
        if not isinstance(self.on, type | tuple):
            return self.on(error)
        named = self.on if isinstance(self.on, tuple) else (self.on,)
        return any(isinstance(error, one) or (isinstance(error, StepFailed) and error.is_kind(one)) for one in named)

    def __str__(self) -> str:
        return f"retry {self.attempts}×"


NEVER = Retry(attempts=1)


async def try_again(call: StepCall, retry: Retry, attempt: Invocation) -> object:
    """Execute, and again after a pause, until it succeeds or the last attempt failed."""
    asked = 0
    await _sit_out(call)
    while True:
        await wait_unless_draining(call)
        if not call.begun:
            _check_left(call, retry)
        call.begin()
        try:
            return await attempt()
        except Exception as error:
            mark_source(error, call.path)
            pause = _asked_pause(error, asked)
            counted = pause is None
            failures = (call.known.failures if call.known else 0) + 1
            if not retry.is_worth(error) or (counted and failures >= retry.attempts):
                raise
            if pause is None:
                pause = retry.wait(failures)
            else:
                asked += 1
            call.pause(describe_error(error, call.path), pause, counted=counted)
        with uncharged():
            await call.execution.sleep(pause)


async def _sit_out(call: StepCall) -> None:
    """An earlier pass was interrupted between two attempts: wait for what is left of the pause."""
    known = call.known
    latest = known.latest if known else None
    if known is None or latest is None or latest.ended_at is None or not latest.pause:
        return
    if known.status is StepStatus.RETRYING and latest.begun.fingerprint == call.fingerprint:
        left = latest.pause - (now() - latest.ended_at).total_seconds()
        with uncharged():
            await call.execution.sleep(max(0.0, min(left, latest.pause)))


def _check_left(call: StepCall, retry: Retry) -> None:
    """Raises the last failure when an earlier pass used up all attempts, and was interrupted in the fallback."""
    known = call.known
    if known is None or known.latest is None or known.latest.begun.fingerprint != call.fingerprint:
        return
    error = next((attempt.error for attempt in reversed(known.attempts) if attempt.error), None)
    if known.failures >= retry.attempts and error is not None:
        raise StepFailed(error)


def _asked_pause(error: BaseException, asked: int) -> float | None:
    try:
        pause = float(getattr(error, "retry_after", None))  # type: ignore[arg-type]  # whatever it is, often text
    except (TypeError, ValueError, OverflowError):
        return None
    if asked >= MOST_RETRY_AFTERS or not pause <= LONGEST_RETRY_AFTER:  # written so that NaN is none either
        return None
    return max(0.0, pause)
