"""Timeout: how long one attempt may take. Waiting for others is not charged to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from worker.runtime.call import Invocation, StepCall
from worker.runtime.clock import Clock
from worker.runtime.errors import StepTimeout
from worker.runtime.scope import Scope, current_scope


async def limit_time(call: StepCall, seconds: float, attempt: Invocation) -> object:
    """Execute for at most `seconds`. Raise `StepTimeout`, which is transient, when that is not enough."""
    clock = Clock(seconds)
    try:
        async with clock.timer:
            call.scope.clocks.append(clock)
            try:
                return await attempt()
            finally:
                call.scope.clocks.remove(clock)
                clock.ended = True
    except TimeoutError as error:
        if not clock.timer.expired():
            raise
        raise StepTimeout(f"{call.path} took longer than {seconds:g} s.") from error


@contextmanager
def uncharged() -> Iterator[None]:
    """Stop the clocks of the running steps: for waiting on a provider's limit, or on a person."""
    stopped = list(_clocks(current_scope()))
    for clock in stopped:
        clock.stop()
    try:
        yield
    finally:
        for clock in stopped:
            clock.resume()


def _clocks(scope: Scope | None) -> Iterator[Clock]:
    while scope is not None:
        yield from scope.clocks
        scope = scope.parent
