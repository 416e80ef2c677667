"""Redis dies in the middle of a post, and comes back with its file or without."""

from __future__ import annotations

from pathlib import Path

from tests.model_server import ModelServer
from tests.support.durable_redis import DurableRedis
from tests.support.worker_process import Deployment
from tests.worker.engine.log_checks import check_run, find, has


async def test_a_run_goes_on_when_redis_was_killed_and_started_again(
    deployment: Deployment, model: ModelServer, kept_redis: DurableRedis
) -> None:
    await deployment.start_worker(LONGHAND_LEASE_SECONDS="5")
    gate = model.script.hold("outline", after=0)
    run_id = await deployment.write_post()
    await gate.reached()

    kept_redis.kill()
    gate.release()
    kept_redis.start()
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert run.status == "succeeded"
    assert model.counts["outline"] == 1
    assert len(find(events, "run.submitted")) == 1


async def test_a_run_goes_on_when_redis_came_back_without_its_last_moments(
    deployment: Deployment, model: ModelServer, kept_redis: DurableRedis, tmp_path: Path
) -> None:
    """As after a loss of power. The worker lives on, and SQL has more of the log than Redis."""
    await deployment.start_worker()
    outline, sections = model.script.hold("outline", after=0), model.script.hold("write-section", after=0, times=3)
    run_id = await deployment.write_post()
    await outline.reached()
    while (await deployment.redis.info("persistence"))["aof_buffer_length"]:
        pass
    (kept,) = (tmp_path / "redis" / "appendonlydir").glob("*.incr.aof")
    length = kept.stat().st_size
    outline.release()
    await sections.reached()
    await deployment.wait_for_events(run_id, has("step.started", "write-section", 3))
    await deployment.wait_until_shipped(run_id)
    before = await deployment.log.read(run_id)

    kept_redis.kill()
    with kept.open("r+b") as file:
        file.truncate(length)
    kept_redis.start()
    await deployment.redis.connection_pool.disconnect()
    assert len(await deployment.redis.xrange(f"run:{run_id}:log")) < len(before)
    sections.release()
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    assert (run.status, run.epoch) == ("succeeded", 2)
    assert [event.id for event in events[: len(before)]] == [event.id for event in before]
    assert model.counts["outline"] == 1


async def test_a_run_goes_on_from_the_last_shipped_event_when_redis_lost_everything(
    deployment: Deployment, model: ModelServer, kept_redis: DurableRedis
) -> None:
    await deployment.start_worker()
    gate = model.script.hold("write-section", after=0)
    run_id = await deployment.write_post()
    await gate.reached()
    await deployment.wait_for_events(run_id, has("step.succeeded", "write-section", 2))
    shipped = await deployment.wait_until_shipped(run_id)
    before = await deployment.log.read(run_id)
    waiting = await deployment.write_post("brakes and gears")
    await deployment.wait_for_events(waiting, has("run.submitted"))

    kept_redis.lose()
    kept_redis.start()
    runs = [await deployment.wait_for_end(run_id), await deployment.wait_for_end(waiting)]

    assert [run.status for run in runs] == ["succeeded", "succeeded"]
    events = await check_run(deployment, run_id)
    assert [event.id for event in events[: len(before)]] == [event.id for event in before]
    assert before[-1].id == shipped
    done = {event.step for event in find(before, "step.succeeded")}
    assert all(len(find(events, "step.started", step)) == 1 for step in done)
    await check_run(deployment, waiting)
