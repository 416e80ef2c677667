"""Cancellation: a step that is cancelled from outside has not failed; one that is cancelled from inside has."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from worker.runtime.errors import CancelledInside, ExitInside
from worker.runtime.execution import Execution

INTERRUPTION_SECONDS = 1.0
"""How long (seconds) an interrupted task may take to end. Nobody waits for longer: a run that is cancelled or handed
over must not depend on code that swallows its cancellation."""


async def interrupt(tasks: Collection[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Cancel these tasks and wait for their end. Return those that have not ended in time, and are left alone."""
    for task in tasks:
        task.cancel()
        task.add_done_callback(_retrieve_error)
    _, left = await asyncio.wait(tasks, timeout=INTERRUPTION_SECONDS)
    return left


def _retrieve_error(task: asyncio.Task[Any]) -> None:
    """Retrieve the error of an interrupted task: nobody needs it, and asyncio logs errors that nobody has retrieved."""
    if not task.cancelled():
        task.exception()


@contextmanager
def normalise_cancellation(path: str, execution: Execution) -> Iterator[None]:
    """Make the code inside end as cancelled if it was interrupted, whatever it raises, and only then.

    Raise `CancelledInside` when something that the code awaited was cancelled, but not the code itself, and
    `ExitInside` when the code would end the process, which other runs share and which handles its signals itself.
    """
    task = asyncio.current_task()
    assert task is not None
    before = task.cancelling()
    try:
        yield
    except asyncio.CancelledError as error:
        if task.cancelling() > before:
            raise
        raise CancelledInside(f"Something that {path} waited for was cancelled.") from error
    except (SystemExit, KeyboardInterrupt) as error:
        if task in execution.interrupted:
            raise asyncio.CancelledError from error
        shown = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ExitInside(f"{path} tried to end the worker's process ({shown}). Raise an error instead.") from error
    except Exception as error:
        if task in execution.interrupted:
            raise asyncio.CancelledError from error
        raise
