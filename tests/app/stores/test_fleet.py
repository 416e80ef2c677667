"""The fleet: workers that are alive or leave, and the workflows that they announce."""

from __future__ import annotations

from typing import Any

from app.contract import keys
from app.contract.manifest import DEAD_AFTER_SECONDS, Heartbeat, WorkflowManifest
from app.stores.fleet import Fleet


def manifest(name: str, version: str = "1") -> WorkflowManifest:
    return WorkflowManifest(name=name, version=version, input_schema={}, output_schema={})


async def beat_at(redis: Any, beat: Heartbeat, seconds_ago: float) -> None:
    seconds, micros = await redis.time()
    ms = seconds * 1000 + micros // 1000 - int(seconds_ago * 1000)
    await redis.xadd(keys.HEARTBEATS, {"b": beat.model_dump_json()}, id=f"{ms}-*")


async def test_newest_heartbeat_of_each_worker_counts(fleet: Fleet) -> None:
    await fleet.send_heartbeat(Heartbeat(worker="a", build="1", runs=["r1"]))
    await fleet.send_heartbeat(Heartbeat(worker="b", build="1", at=5))
    await fleet.send_heartbeat(Heartbeat(worker="a", build="1", runs=["r1", "r2"]))
    found = {beat.worker: beat for beat in await fleet.workers()}
    assert found["a"].runs == ["r1", "r2"]
    assert found["b"].at > 5  # Redis's time, not the worker's


async def test_a_worker_that_leaves_is_absent_and_one_that_returns_is_listed(fleet: Fleet) -> None:
    await fleet.send_heartbeat(Heartbeat(worker="a", build="1"))
    await fleet.send_heartbeat(Heartbeat(worker="a", build="1", leaving=True))
    assert await fleet.workers() == []
    await fleet.send_heartbeat(Heartbeat(worker="a", build="1"))
    assert [beat.worker for beat in await fleet.workers()] == ["a"]


async def test_a_worker_without_a_recent_heartbeat_is_dead(redis: Any, fleet: Fleet) -> None:
    await beat_at(redis, Heartbeat(worker="dead", build="1"), DEAD_AFTER_SECONDS + 1)
    await beat_at(redis, Heartbeat(worker="slow", build="1"), DEAD_AFTER_SECONDS / 2)
    assert [beat.worker for beat in await fleet.workers()] == ["slow"]


async def test_unreadable_heartbeats_are_ignored(redis: Any, fleet: Fleet) -> None:
    await redis.xadd(keys.HEARTBEATS, {"b": "not json"})
    await redis.xadd(keys.HEARTBEATS, {"c": "d"})
    await redis.xadd(keys.HEARTBEATS, {"b": '{"worker":"new","build":"2","invented":true}'})
    assert [beat.worker for beat in await fleet.workers()] == ["new"]


async def test_the_stream_of_heartbeats_is_capped(redis: Any, fleet: Fleet) -> None:
    pipe = redis.pipeline(transaction=False)
    for _ in range(5_000):
        pipe.xadd(keys.HEARTBEATS, {"b": "{}"})
    await pipe.execute()
    await fleet.send_heartbeat(Heartbeat(worker="a", build="1"))
    assert await redis.xlen(keys.HEARTBEATS) < 2_500


async def test_the_last_announcement_of_a_workflow_counts(redis: Any, fleet: Fleet) -> None:
    assert await fleet.workflows() == {}
    await fleet.announce([manifest("write-post"), manifest("echo")])
    await fleet.announce([manifest("echo", "2")])
    await redis.hset(keys.MANIFEST, "broken", '{"name": 1}')
    found = await fleet.workflows()
    assert {name: m.version for name, m in found.items()} == {"echo": "2", "write-post": "1"}
    assert list(found) == ["echo", "write-post"]
