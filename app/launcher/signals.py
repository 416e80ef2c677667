"""How a person stops `longhand up`: SIGTERM, Ctrl-C, or closing the terminal; a second Ctrl-C hurries."""

from __future__ import annotations

import asyncio
import signal


class StopSignals:
    """The wish to stop, as it comes in by signals."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurry = asyncio.Event()

    def listen(self) -> None:
        """From now on the signals come here, also when our parent had told us to ignore them (`make run &`)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self.asked.set)
        loop.add_signal_handler(signal.SIGINT, self._interrupt)

    def _interrupt(self) -> None:
        """Only Ctrl-C hurries: SIGTERM may come twice, to the whole group and passed on by make."""
        if self.asked.is_set():
            self.hurry.set()
        self.asked.set()
