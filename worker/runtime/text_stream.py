"""The text that an attempt streams, gathered for a moment so that many small pieces become a few events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from app.contract.errors import AppendRefused
from app.contract.payloads import Output
from worker.runtime.errors import OutsideRun, clean_text

FLUSH_SECONDS = 0.1
"""How long streamed text may wait for more."""

LARGEST_PIECE = 32 * 1024
"""The most characters of text in one event."""


class TextStream:
    """The text of one attempt. Each piece goes to `emit` with its offset in that text."""

    def __init__(self, emit: Callable[[Output], None]) -> None:
        self._emit = emit
        self._offset = 0
        self._held_back = ""
        self._timer: asyncio.TimerHandle | None = None

    def write(self, text: str, *, flush: bool = False) -> None:
        """Emit the first piece at once, and what follows at most every `FLUSH_SECONDS`; with `flush` all, now."""
        self._held_back += clean_text(text)
        if self._timer and not flush:
            return
        self._stop_timer()
        text, self._held_back = self._held_back, ""
        for start in range(0, len(text), LARGEST_PIECE):
            piece = text[start : start + LARGEST_PIECE]
            self._emit(Output(offset=self._offset, text=piece))
            self._offset += len(piece)
        if not flush:
            self._timer = asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._emit_held_back)

    def flush(self) -> None:
        """Emit what was held back, and stop the timer."""
        self.write("", flush=True)

    def _emit_held_back(self) -> None:
        self._timer = None
        if self._held_back:
            # The run's executor learns of a refusal from the execution, and of the end of an attempt from the step.
            with suppress(AppendRefused, OutsideRun):
                self.write("")

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
