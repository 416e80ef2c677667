"""Interruptions: cancelling from outside is none of a step's failures; what stops it from inside is one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from worker.runtime.errors import CancelledInside, ExitInside
from worker.runtime.execution import Execution


@contextmanager
def told_apart(path: str, execution: Execution) -> Iterator[None]:
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
