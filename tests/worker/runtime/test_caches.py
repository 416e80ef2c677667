"""Caches: results that runs share, results that they must not share, and a cache that is out of reach."""

from __future__ import annotations

from typing import Any

import pytest

from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import Workflow, component, publish, resource, stream, workflow
from worker.testing.invariants import check_log


class MemoryCache:
    """A cache; the methods named in `broken` raise. `found` is what the log held when something was put."""

    def __init__(self, *broken: str) -> None:
        self.entries: dict[str, tuple[str, Any, float]] = {}
        self.broken = broken
        self.harness: Driver | None = None
        self.found: list[str] = []

    async def get(self, key: str) -> Any | None:
        self._check("get")
        return self.entries[key][1] if key in self.entries else None

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None:
        self._check("put")
        if self.harness:
            self.found = await self.harness.kinds()
        self.entries[key] = (scope, value, ttl)

    def _check(self, method: str) -> None:
        if method in self.broken:
            raise OSError("the database is locked")


@component
async def steady(number: int) -> int:
    resource(Probe).hit("steady")
    return number


@workflow("cached")
async def cached(number: int) -> int:
    return await steady.cache(ttl=60)(number)


async def test_a_cache_is_shared_by_runs_of_one_workspace_and_bypassed_by_a_retry(harness: Driver) -> None:
    cache = MemoryCache()
    await harness.start(cached, 1)
    await harness.execute(cache=cache)
    other = await harness.fork(1)
    run = await other.execute(cache=cache)
    assert run.output == 1 and other.probe.calls == []
    assert run.steps["cached/steady"].success.origin == "cache"  # type: ignore[union-attr]
    assert [entry[::2] for entry in cache.entries.values()] == [("ws", 60)]
    await other.retry("cached/steady")
    run = await other.execute(cache=cache)
    assert other.probe.calls == ["steady"] and run.steps["cached/steady"].success.origin == "call"  # type: ignore[union-attr]


@component
async def summarize(text: str) -> str:
    return f"one summary of {text}"


@component(name="summarize")
async def other_summarize(text: str) -> str:
    return f"another summary of {text}"


@workflow("namesakes")
async def namesakes(text: str) -> list[str]:
    return [await one.cache(ttl=60).key(key)(text) for key, one in [("a", summarize), ("b", other_summarize)]]


async def test_components_that_only_share_a_name_share_no_results(harness: Driver) -> None:
    await harness.start(namesakes, "it")
    run = await harness.execute(cache=MemoryCache())
    assert run.output == ["one summary of it", "another summary of it"]


@pytest.mark.parametrize("broken", ["get", "put"])
async def test_a_cache_out_of_reach_fails_no_step(harness: Driver, broken: str) -> None:
    await harness.start(cached, 1)
    run = await harness.execute(cache=MemoryCache(broken))
    assert run.status is RunStatus.SUCCEEDED and run.output == 1 and harness.probe.calls == ["steady"]
    assert check_log(await harness.events()) == []


async def test_it_is_put_only_when_the_log_holds_the_success(harness: Driver) -> None:
    cache = MemoryCache()
    cache.harness = harness
    await harness.start(cached, 1)
    await harness.execute(cache=cache)
    assert "step.succeeded" in cache.found


@component(retry=SOON)
async def writes(topic: str) -> str:
    resource(Probe).hit("begun")
    stream(f"A text on {topic}, ")
    resource(Probe).hit("written")
    stream("with an end.")
    publish("sources", ["a", {"b": 1}])
    publish("outline", {"title": topic})
    return topic


@workflow("cached-text")
async def cached_text(topic: str) -> str:
    return await writes.cache(ttl=60)(topic)


async def execute_twice(harness: Driver, flow: Workflow, cache: MemoryCache) -> tuple[Any, Any]:
    """Return the step as it was executed, and as another run has it from the cache."""
    await harness.start(flow, "tea")
    path = f"{flow.name}/writes"
    first = (await harness.execute(cache=cache)).steps[path]
    other = await harness.fork(1)
    second = (await other.execute(cache=cache)).steps[path]
    assert second.success is not None and second.success.origin == "cache" and other.probe.calls == []
    assert check_log(await other.events()) == []
    return first.success, second.success


async def test_a_hit_brings_the_text_and_the_objects_too(harness: Driver) -> None:
    harness.probe.fail["written"] = [ConnectionError("cut")]
    first, second = await execute_twice(harness, cached_text, MemoryCache())
    assert second.text == first.text == "A text on tea, with an end."
    assert second.objects == first.objects == {"sources": ["a", {"b": 1}], "outline": {"title": "tea"}}


async def test_an_entry_of_an_older_version_has_a_value_only(harness: Driver) -> None:
    cache = MemoryCache()
    await harness.start(cached_text, "tea")
    await harness.execute(cache=cache)
    for key, (scope, entry, ttl) in cache.entries.items():
        cache.entries[key] = (scope, {"value": entry["value"]}, ttl)
    other = await harness.fork(1)
    run = await other.execute(cache=cache)
    assert run.output == "tea" and other.probe.calls == []
