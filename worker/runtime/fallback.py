"""Fallback: another way to the same kind of result, for when all attempts failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from worker.runtime.call import Invocation, StepCall
from worker.runtime.draining import wait_unless_draining
from worker.runtime.errors import describe_error, mark_source


async def use_fallback(call: StepCall, other: Callable[[], Awaitable[Any]], attempt: Invocation) -> Any:
    """Execute; when that finally fails, say so in the log and do the other thing."""
    try:
        return await attempt()
    except Exception as error:
        mark_source(error, call.path)
        data = describe_error(error, call.path)
        if call.begun:
            call.pause(data, 0, counted=True)
        await wait_unless_draining(call)
        # An attempt of its own: what the failed one wrote must not stand before the other's text.
        call.begin()
        call.scope.say(f"Falling back: {data.message}")
        call.origin = "fallback"
        return await other()
