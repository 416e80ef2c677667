"""Draining: while a worker drains, no further attempt begins."""

from __future__ import annotations

from worker.runtime.call import StepCall
from worker.runtime.timeout import uncharged


async def block_if_draining(call: StepCall) -> None:
    """Return at once when an attempt may begin; when the worker drains, block for the rest of the pass."""
    if call.execution.draining.is_set():
        with uncharged():
            await call.execution.block()
