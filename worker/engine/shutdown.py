"""The end of a worker process, which waits for no step that does not let itself be interrupted."""

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
"""How long tasks and threads may run on when all else is done."""

_THREAD_PREFIX = "longhand-step"


@asynccontextmanager
async def bounded_shutdown() -> AsyncIterator[None]:
    """End the process soon after the block, whatever still runs in it.

    asyncio, and the interpreter at its exit, would wait without limit for tasks and threads that are left.
    """
    executor = ThreadPoolExecutor(thread_name_prefix=_THREAD_PREFIX)
    asyncio.get_running_loop().set_default_executor(executor)
    failure: Exception | None = None
    try:
        yield
    except Exception as error:
        failure = error
    executor.shutdown(wait=False, cancel_futures=True)
    if left := [*await _cancel_tasks(), *await _wait_for_threads()]:
        logger.warning("cut off at the end", left=left, exc_info=failure)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1 if failure else 0)
    if failure:
        raise failure


async def _cancel_tasks() -> list[str]:
    """Cancel all other tasks; return the names of those that run on."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if not others:
        return []
    _, left = await asyncio.wait(others, timeout=LAST_SECONDS)
    return [task.get_name() for task in left]


async def _wait_for_threads() -> list[str]:
    """Wait for the threads of steps; return the names of those that run on. Idle ones end by themselves."""
    loop = asyncio.get_running_loop()
    give_up = loop.time() + LAST_SECONDS
    while left := [thread.name for thread in threading.enumerate() if thread.name.startswith(_THREAD_PREFIX)]:
        if loop.time() > give_up:
            break
        await asyncio.sleep(0.01)
    return left
