"""Cache: a result that other runs may use. It is no checkpoint: it expires, and a retry bypasses it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from worker.runtime.admission import admit
from worker.runtime.call import Attempt, Call
from worker.runtime.errors import ResultUnreadable
from worker.runtime.values import decode_result, digest, encode_result


@dataclass(frozen=True, slots=True)
class Cache:
    """Keep results for `ttl` seconds: for the run's workspace, or for everybody where nothing in them is private."""

    ttl: float
    scope: Literal["workspace", "everyone"] = "workspace"

    def __str__(self) -> str:
        return f"cache {self.ttl:g} s, {self.scope}"


async def reuse(call: Call, cache: Cache, adapter: TypeAdapter[Any], attempt: Attempt) -> Any:
    """Give the cached result, or execute and cache it."""
    store = call.execution.cache
    if store is None:
        return await attempt()
    scope = call.execution.workspace_id if cache.scope == "workspace" else "everyone"
    key = digest([scope, call.identity.content])
    if not call.identity.generation and (found := await store.get(key)) is not None:
        try:
            value = decode_result(adapter, found["value"], call.path)
        except ResultUnreadable:
            pass  # an older version cached it: executing replaces it
        else:
            await admit(call)
            call.origin = "cache"
            call.begin()
            return value
    value = await attempt()
    if call.origin == "call":
        await store.put(key, scope, {"value": encode_result(adapter, value, call.path)}, cache.ttl)
    return value
