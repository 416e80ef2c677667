"""Cache: a result that other runs may use. It is no checkpoint: it expires, and a retry bypasses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import structlog
from pydantic import TypeAdapter

from worker.runtime.call import Invocation, StepCall
from worker.runtime.draining import wait_unless_draining
from worker.runtime.errors import ResultUnreadable
from worker.runtime.execution import ResultCache
from worker.runtime.values import decode_result, digest

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Cache:
    """Keep results for `ttl` seconds: for the run's workspace, or for everybody where nothing in them is private."""

    ttl: float
    scope: Literal["workspace", "everyone"] = "workspace"

    def __str__(self) -> str:
        return f"cache {self.ttl:g} s, {self.scope}"


async def reuse(call: StepCall, cache: Cache, source: str, adapter: TypeAdapter[Any], attempt: Invocation) -> Any:
    """Give the cached result, or execute and have it cached once the log holds the success.

    `source` names the function itself: components of other files may have the same name. A hit brings the text and the
    objects of the step that was executed; those of the steps inside it are not there.
    """
    store = call.execution.cache
    if store is None:
        return await attempt()
    scope = call.execution.workspace_id if cache.scope == "workspace" else "everyone"
    key = digest([scope, source, call.identity.content])
    if not call.identity.generation and (found := await _look_up(store, key, call)) is not None:
        try:
            value = decode_result(adapter, found["value"], call.path)
        except ResultUnreadable:
            pass  # an older version cached it: executing replaces it
        else:
            await wait_unless_draining(call)
            call.origin = "cache"
            _begin_with(call, found)
            return value
    value = await attempt()
    call.keep = partial(_keep, store, key, scope, cache.ttl, call)
    return value


def _begin_with(call: StepCall, found: Mapping[str, Any]) -> None:
    call.begin()
    call.scope.text.write(found.get("text", ""))
    for name, value in found.get("objects", {}).items():
        call.scope.publish(name, value)


async def _look_up(store: ResultCache, key: str, call: StepCall) -> Any | None:
    try:
        return await store.get(key)
    except Exception as error:
        logger.warning("cache not readable", run=call.execution.run.id, step=call.path, error=str(error))
        return None


async def _keep(store: ResultCache, key: str, scope: str, ttl: float, call: StepCall, result: Any) -> None:
    done = call.known.success if call.known else None
    entry = {"value": result, "text": done.text if done else "", "objects": dict(done.objects) if done else {}}
    try:
        await store.put(key, scope, entry, ttl)
    except Exception as error:
        logger.warning("result not cached", run=call.execution.run.id, step=call.path, error=str(error))
