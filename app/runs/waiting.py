"""Waiting for a run: until it ends, waits for a person, or the time is up."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from app.contract.fold import Run
from app.contract.runs import RunStatus
from app.runs.follow import Follows


async def wait_for_end(follower: Follows, run_id: str, seconds: float) -> bool:
    """Whether the run ended in time. A run that waits for an answer is given up on at once."""
    run = Run(id=run_id)
    try:
        async with asyncio.timeout(seconds), aclosing(follower.follow(run_id)) as batches:
            async for events in batches:
                for event in events:
                    run.apply(event)
                if run.ended or run.status is RunStatus.WAITING:
                    break
    except TimeoutError:
        return False
    return run.ended
