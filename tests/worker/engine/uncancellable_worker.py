"""A worker whose one workflow, `resist`, swallows every cancellation, in a task and in a thread:
`python -m tests.worker.engine.uncancellable_worker`."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from app.contract.settings import Settings
from worker.main import run_worker
from worker.runtime import Workflows, component, gather, say, workflow


@component
async def swallow() -> None:
    say("here")
    while True:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


@component
async def compute() -> None:
    say("here")
    await asyncio.to_thread(time.sleep, 600)


@workflow("resist")
async def resist(text: str) -> None:
    """Never end."""
    await gather(swallow(), compute())


if __name__ == "__main__":
    asyncio.run(run_worker(Settings(), Workflows([resist])))
