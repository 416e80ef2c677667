"""The clock of one attempt, which a timeout reads."""

from __future__ import annotations

import asyncio


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
