"""The signals that stop `longhand up`: SIGTERM, Ctrl-C, or closing the terminal; a second Ctrl-C hurries."""

from __future__ import annotations

import asyncio
import signal


class StopSignals:
    """Events that stop signals set: `requested` by the first one, `hurry` by a second Ctrl-C."""

    def __init__(self) -> None:
        self.requested = asyncio.Event()
        self.hurry = asyncio.Event()

    def listen(self) -> None:
        """Handle the signals from now on, also if the parent process had set them to be ignored (`make run &`)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.requested.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)

    def _interrupt(self) -> None:
        """Stop, or hurry if stopping already. SIGTERM never hurries: it may come twice, to the whole process group and
        again from make."""
        if self.requested.is_set():
            self.hurry.set()
        self.requested.set()
