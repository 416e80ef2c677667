"""Fallback: another way to the same kind of result, for when all attempts failed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from worker.runtime.admission import admit
from worker.runtime.call import Attempt, Call
from worker.runtime.errors import describe_error, mark_source


async def fall_back(call: Call, other: Callable[[], Awaitable[Any]], attempt: Attempt) -> Any:
    """Execute; when that finally fails, say so in the log and do the other thing."""
    try:
        return await attempt()
    except Exception as error:
        mark_source(error, call.path)
        data = describe_error(error, call.path)
        if call.begun:
            call.pause(data, 0, counted=True)
        await admit(call)
        # An attempt of its own: what the failed one wrote must not stand before the other's text.
        call.begin()
        call.say(f"Falling back: {data.message}")
        call.origin = "fallback"
        return await other()
