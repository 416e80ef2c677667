"""Timeout: how long one attempt may take. Waiting for others is not charged to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from worker.runtime.call import Attempt, Call
from worker.runtime.errors import StepTimeout
from worker.runtime.scope import Scope, current_scope


class Clock:
    """One attempt's time. It stands still while anything inside the attempt waits for others."""

    def __init__(self, seconds: float) -> None:
        self.timer = asyncio.timeout(seconds)
        self.ended = False
        self._waiting = 0
        self._left = 0.0

    def stop(self) -> None:
        self._waiting += 1
        deadline = self.timer.when()
        if self._waiting == 1 and self._runs and deadline is not None:
            self._left = deadline - asyncio.get_running_loop().time()
            self.timer.reschedule(None)

    def go_on(self) -> None:
        self._waiting -= 1
        if self._waiting == 0 and self._runs and self.timer.when() is None:
            self.timer.reschedule(asyncio.get_running_loop().time() + self._left)

    @property
    def _runs(self) -> bool:
        return not self.ended and not self.timer.expired()


async def limit_time(call: Call, seconds: float, attempt: Attempt) -> object:
    """Execute for at most `seconds`. Raises `StepTimeout`, which is transient."""
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
            clock.go_on()


def _clocks(scope: Scope | None) -> Iterator[Clock]:
    while scope is not None:
        yield from scope.clocks
        scope = scope.parent
