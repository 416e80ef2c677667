"""The shutdown of a web process: open streams end first, so that the server does not wait for them."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def announce_shutdown(*close: Callable[[], object]) -> Iterator[None]:
    """Call each of `close` in the event loop when, within the block, a signal stops the server.

    Enter the block when the application starts: the server has set its signal handlers by then. The application's own
    shutdown would be too late: it comes after all responses have ended, which an open stream never does.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # an embedded server gets no signals; its owner calls `close`
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def announce(number: int, frame: FrameType | None) -> None:
        for function in close:
            loop.call_soon_threadsafe(function)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for number in SIGNALS:
        signal.signal(number, announce)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
