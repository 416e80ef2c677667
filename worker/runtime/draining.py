"""Admission: while a worker drains, no further attempt begins."""

from __future__ import annotations

from worker.runtime.call import StepCall
from worker.runtime.timeout import uncharged


async def wait_unless_draining(call: StepCall) -> None:
    """Return when an attempt may begin: at once, or, when the worker drains, never in this pass."""
    if call.execution.draining.is_set():
        with uncharged():
            await call.execution.block()
