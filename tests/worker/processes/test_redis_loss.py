"""Redis dies in the middle of a post: with what it kept on disk, and without."""

from __future__ import annotations

from tests.model_server import ModelServer
from tests.support.durable_redis import DurableRedis
from tests.support.worker_process import Product
from tests.worker.processes.asserting import check_run, find, has


async def test_a_run_goes_on_when_redis_was_killed_and_started_again(
    stage: Product, model: ModelServer, kept_redis: DurableRedis
) -> None:
    await stage.start_worker(LONGHAND_LEASE_SECONDS="5")
    gate = model.script.hold("outline", after=0)
    run_id = await stage.write_post()
    await gate.reached()

    kept_redis.kill()
    gate.release()
    kept_redis.start()
    run = await stage.wait_for_end(run_id)

    events = await check_run(stage, run_id)
    assert run.status == "succeeded"
    assert model.counts["outline"] == 1
    assert len(find(events, "run.submitted")) == 1


async def test_a_run_goes_on_from_the_last_shipped_event_when_redis_lost_everything(
    stage: Product, model: ModelServer, kept_redis: DurableRedis
) -> None:
    await stage.start_worker()
    gate = model.script.hold("write-section", after=0)
    run_id = await stage.write_post()
    await gate.reached()
    await stage.wait_for_events(run_id, has("step.succeeded", "write-section", 2))
    shipped = await stage.wait_until_shipped(run_id)
    before = await stage.log.read(run_id)
    waiting = await stage.write_post("brakes and gears")
    await stage.wait_for_events(waiting, has("run.submitted"))

    kept_redis.lose()
    kept_redis.start()
    runs = [await stage.wait_for_end(run_id), await stage.wait_for_end(waiting)]

    assert [run.status for run in runs] == ["succeeded", "succeeded"]
    events = await check_run(stage, run_id)
    assert [event.id for event in events[: len(before)]] == [event.id for event in before]
    assert before[-1].id == shipped
    done = {event.step for event in find(before, "step.succeeded")}
    assert all(len(find(events, "step.started", step)) == 1 for step in done)
    await check_run(stage, waiting)
