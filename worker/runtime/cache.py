"""Cache: a result that other runs may use. It is no checkpoint: it expires, and a retry bypasses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import structlog
from pydantic import TypeAdapter

from worker.runtime.call import Invocation, StepCall
from worker.runtime.draining import block_if_draining
from worker.runtime.errors import ResultUnreadable
from worker.runtime.execution import ResultCache
from worker.runtime.values import decode_result, digest

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cache:
    """The policy to cache results for `ttl` seconds: for the run's workspace, or for everyone if nothing is private."""

    ttl: float
    scope: Literal["workspace", "everyone"] = "workspace"

    def __str__(self) -> str:
        return f"cache {self.ttl:g} s, {self.scope}"


async def use_cache(call: StepCall, cache: Cache, source: str, adapter: TypeAdapter[Any], attempt: Invocation) -> Any:
    """Return the cached result, or execute, and cache the result once the log holds the success.

    `source` names the function itself: components of other files may have the same name. A hit brings the text and the
    objects of the step that was executed, but not those of the steps inside it.
    """
    store = call.execution.cache
    if store is None:
        return await attempt()
    scope = call.execution.workspace_id if cache.scope == "workspace" else "everyone"
    key = digest([scope, source, call.identity.content])
    if not call.identity.generation and (entry := await _get(store, key, call)) is not None:
        try:
            value = decode_result(adapter, entry["value"], call.path)
        except ResultUnreadable:
            pass  # an older version cached it: executing replaces it
        else:
            await block_if_draining(call)
            call.origin = "cache"
            _begin_with_entry(call, entry)
            return value
    value = await attempt()
    call.cache_result = partial(_put, store, key, scope, cache.ttl, call)
    return value


def _begin_with_entry(call: StepCall, entry: Mapping[str, Any]) -> None:
    """Begin an attempt that has the text and the objects of the cached one."""
    call.begin_attempt()
    call.scope.text.write(entry.get("text", ""))
    for name, value in entry.get("objects", {}).items():
        call.scope.publish(name, value)


async def _get(store: ResultCache, key: str, call: StepCall) -> Any | None:
    try:
        return await store.get(key)
    except Exception as error:
        logger.warning("cache not readable", run=call.execution.run.id, step=call.path, error=str(error))
        return None


async def _put(store: ResultCache, key: str, scope: str, ttl: float, call: StepCall, result: Any) -> None:
    success = call.step.success if call.step else None
    text, objects = (success.text, dict(success.objects)) if success else ("", {})
    try:
        await store.put(key, scope, {"value": result, "text": text, "objects": objects}, ttl)
    except Exception as error:
        logger.warning("result not cached", run=call.execution.run.id, step=call.path, error=str(error))
