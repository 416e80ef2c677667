"""Interruptions: cancelling from outside is none of a step's failures; what stops it from inside is one."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from worker.runtime.errors import CancelledInside, ExitInside
from worker.runtime.execution import Execution

INTERRUPTION_SECONDS = 1.0
"""How long what was interrupted may take to end. Nobody waits for longer: a run that is cancelled or handed over must
not depend on code that swallows its cancellation."""


async def interrupt(tasks: Collection[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Cancel these tasks, and wait for their end; gives those that have not ended in time, and go on by themselves."""
    for task in tasks:
        task.cancel()
        task.add_done_callback(_note_end)
    _, left = await asyncio.wait(tasks, timeout=INTERRUPTION_SECONDS)
    return left


def _note_end(task: asyncio.Task[Any]) -> None:
    """How an interrupted task ends is nobody's concern; asyncio would complain that no one has asked."""
    if not task.cancelled():
        task.exception()


@contextmanager
def normalise_cancellation(path: str, execution: Execution) -> Iterator[None]:
    """Around a function's code: an interrupted one ends as cancelled, whatever it makes of it; and no other does.

    Raises `CancelledInside` when something that the code awaited was cancelled, but not the code itself, and
    `ExitInside` when the code would end the process: it is not the only one's, and signals come to the process itself.
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
        named = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise ExitInside(f"{path} tried to end the worker's process ({named}). Raise an error instead.") from error
    except Exception as error:
        if task in execution.interrupted:
            raise asyncio.CancelledError from error
        raise
