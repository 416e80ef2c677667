"""A circuit breaker: a model that keeps failing is not called for a while."""

from __future__ import annotations

import time
from collections.abc import Callable

from worker.llm.errors import CircuitOpen, ModelError, ProviderUnavailable, StreamCut

Clock = Callable[[], float]


class CircuitBreaker:
    """Opens after `failures` unavailable answers in a row, for `cool_down` seconds; then one call probes.

    Only failures of the provider count. A refused request or a bad answer shows that the provider works.
    """

    def __init__(self, model: str, *, failures: int = 5, cool_down: float = 10, clock: Clock = time.monotonic) -> None:
        self._model = model
        self._limit = failures
        self._cool_down = cool_down
        self._clock = clock
        self._failures = 0
        self._opened_at: float | None = None
        self._probing = False

    def check(self) -> None:
        """Raise `CircuitOpen` during the cool-down, and while another call probes the model."""
        if self._opened_at is None:
            return
        left = self._opened_at + self._cool_down - self._clock()
        if left > 0 or self._probing:
            message = f"The model {self._model} failed {self._failures} times in a row and is left alone for a while."
            raise CircuitOpen(message, retry_after=max(left, 1.0))

    def enter(self) -> None:
        """Begin a call. Raise `CircuitOpen` as `check` does; every call that has begun must `leave`."""
        self.check()
        self._probing = self._opened_at is not None

    def leave(self, error: BaseException | None) -> None:
        """End a call. One that was cancelled tells nothing about the model."""
        self._probing = False
        if isinstance(error, ProviderUnavailable | StreamCut):
            self._failures += 1
            if self._failures >= self._limit:
                self._opened_at = self._clock()
        elif error is None or isinstance(error, ModelError):
            self._failures = 0
            self._opened_at = None
