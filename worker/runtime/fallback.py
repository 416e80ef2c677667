"""Fallback: another way to the same kind of result, for when all attempts failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from worker.runtime.call import Invocation, StepCall
from worker.runtime.draining import block_if_draining
from worker.runtime.errors import describe_error, mark_source


async def use_fallback(call: StepCall, other: Callable[[], Awaitable[Any]], attempt: Invocation) -> Any:
    """Execute; when that finally fails, log the failure and return the result of `other`."""
    try:
        return await attempt()
    except Exception as error:
        mark_source(error, call.path)
        data = describe_error(error, call.path)
        if call.begun:
            call.schedule_retry(data, 0, counted=True)
        await block_if_draining(call)
        # An attempt of its own: what the failed one wrote must not stand before the other's text.
        call.begin_attempt()
        call.scope.say(f"Falling back: {data.message}")
        call.origin = "fallback"
        return await other()
