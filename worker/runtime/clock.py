"""The clock of one attempt: how long it may still take."""

from __future__ import annotations

import asyncio


class Clock:
    """One attempt's time. It is stopped while anything inside the attempt waits for others."""

    def __init__(self, seconds: float) -> None:
        self.timer = asyncio.timeout(seconds)
        self.ended = False
        self._stops = 0
        self._left = 0.0

    def stop(self) -> None:
        """Stop the clock, until each `stop` was followed by a `resume`."""
        self._stops += 1
        deadline = self.timer.when()
        if self._stops == 1 and self._counts and deadline is not None:
            self._left = deadline - asyncio.get_running_loop().time()
            self.timer.reschedule(None)

    def resume(self) -> None:
        """Let the clock run again, with the time that was left when it stopped."""
        self._stops -= 1
        if self._stops == 0 and self._counts and self.timer.when() is None:
            self.timer.reschedule(asyncio.get_running_loop().time() + self._left)

    @property
    def _counts(self) -> bool:
        return not self.ended and not self.timer.expired()
