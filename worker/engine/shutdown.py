"""The end of a worker's process, which waits for no step that does not let itself be interrupted."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import structlog

logger = structlog.get_logger()

LAST_SECONDS = 1.0
"""How long tasks and threads may go on when all else is done."""

_THREADS = "longhand-step"


@asynccontextmanager
async def ending_in_time() -> AsyncIterator[None]:
    """Around all that the process does. What is left behind at the end is cut off with the process: asyncio, and the
    interpreter at its exit, would wait for it without limit."""
    executor = ThreadPoolExecutor(thread_name_prefix=_THREADS)
    asyncio.get_running_loop().set_default_executor(executor)
    failure: Exception | None = None
    try:
        yield
    except Exception as error:
        failure = error
    executor.shutdown(wait=False, cancel_futures=True)
    if left := [*await _end_tasks(), *await _end_threads()]:
        logger.warning("cut off at the end", left=left, exc_info=failure)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if failure else 0)
    if failure:
        raise failure


async def _end_tasks() -> list[str]:
    """Cancel all other tasks; gives the names of those that go on."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if not others:
        return []
    _, left = await asyncio.wait(others, timeout=LAST_SECONDS)
    return [task.get_name() for task in left]


async def _end_threads() -> list[str]:
    """The threads of steps that go on; those that have nothing to do end by themselves."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + LAST_SECONDS
    while left := [thread.name for thread in threading.enumerate() if thread.name.startswith(_THREADS)]:
        if loop.time() > give_up:
            break
        await asyncio.sleep(0.01)
    return left
