"""A browser whose machine sleeps."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser


@asynccontextmanager
async def asleep(browser: Browser) -> AsyncIterator[None]:
    """Within the block none of the browser's processes runs. Ask the browser for nothing in it: it would hang."""
    session = await browser.new_browser_cdp_session()
    told = await session.send("SystemInfo.getProcessInfo")
    await session.detach()
    numbers = [process["id"] for process in told["processInfo"]]
    for number in numbers:
        os.kill(number, signal.SIGSTOP)
    try:
        yield
    finally:
        for number in reversed(numbers):
            os.kill(number, signal.SIGCONT)
