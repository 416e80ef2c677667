"""Deploys: a worker that is asked to end hands its runs over."""

from __future__ import annotations

import asyncio
import signal

from app.contract.events import Event
from tests.model_server import ModelServer
from tests.support.durable_redis import DurableRedis
from tests.support.worker_process import Deployment, WorkerHandle
from tests.worker.engine.log_checks import check_run, find


async def wait_for_leaving(deployment: Deployment, worker: WorkerHandle) -> None:
    """Return when the worker has announced that it leaves."""
    while any(f"-{worker.pid}-" in beat.worker for beat in await deployment.fleet.workers()):
        await asyncio.sleep(0.02)


def check_hand_over(events: list[Event]) -> None:
    """Check that one worker followed the other, by a hand-over and not by an overdue lease."""
    assert len(find(events, "run.handed_over")) == 1
    assert find(events, "run.recovered") == []
    assert [event.epoch for event in find(events, "run.started")] == [1, 2]


async def test_a_running_step_finishes_before_the_run_is_handed_over(
    deployment: Deployment, model: ModelServer
) -> None:
    first = await deployment.start_worker()
    gate = model.script.hold("outline", after=0)
    run_id = await deployment.write_post()
    await gate.reached()
    await deployment.start_worker()

    first.signal(signal.SIGTERM)
    await wait_for_leaving(deployment, first)
    gate.release()
    assert await first.wait() == 0
    run = await deployment.wait_for_end(run_id)

    events = await check_run(deployment, run_id)
    check_hand_over(events)
    assert run.status == "succeeded"
    assert model.counts["outline"] == 1
    assert model.aborted == 0
    # The outline is the first worker's, all that follows the second's.
    assert [event.epoch for event in find(events, "step.succeeded", "outline")] == [1]
    assert {event.epoch for event in find(events, "step.started", "write-section")} == {2}


async def test_a_second_signal_aborts_the_running_calls(deployment: Deployment, model: ModelServer) -> None:
    first = await deployment.start_worker()
    gate = model.script.hold("outline", after=0)
    run_id = await deployment.write_post()
    await gate.reached()
    await deployment.start_worker()

    first.signal(signal.SIGTERM)
    await wait_for_leaving(deployment, first)
    first.signal(signal.SIGTERM)
    await model.wait_for_aborts(1)
    assert await first.wait() == 0
    run = await deployment.wait_for_end(run_id)

    check_hand_over(await check_run(deployment, run_id))
    assert run.status == "succeeded"
    assert model.counts["outline"] == 2


async def test_when_the_grace_period_is_over_running_calls_are_aborted(
    deployment: Deployment, model: ModelServer
) -> None:
    first = await deployment.start_worker(LONGHAND_DRAIN_SECONDS="0.2")
    gate = model.script.hold("outline", after=0)
    run_id = await deployment.write_post()
    await gate.reached()
    await deployment.start_worker()

    assert await first.stop() == 0
    run = await deployment.wait_for_end(run_id)

    check_hand_over(await check_run(deployment, run_id))
    assert run.status == "succeeded"
    assert model.aborted == 1


async def test_a_worker_ends_although_redis_is_gone(
    deployment: Deployment, model: ModelServer, kept_redis: DurableRedis
) -> None:
    worker = await deployment.start_worker(LONGHAND_DRAIN_SECONDS="0.2")
    gate = model.script.hold("outline", after=0)
    run_id = await deployment.write_post()
    await gate.reached()
    kept_redis.kill()

    assert await worker.stop() == 0
    kept_redis.start()
    await deployment.start_worker()

    assert (await deployment.wait_for_end(run_id)).status == "succeeded"
    await check_run(deployment, run_id)


async def test_steps_that_resist_hold_up_neither_their_run_nor_the_end_of_the_process(deployment: Deployment) -> None:
    worker = await deployment.start_worker("tests.worker.engine.uncancellable_worker", LONGHAND_DRAIN_SECONDS="0.2")
    run_id = await deployment.submit("resist", "")
    await deployment.wait_for_events(run_id, lambda events: len(find(events, "step.message")) == 2)

    assert await worker.stop() == 0
    events = await deployment.log.read(run_id)
    assert events[-1].type == "run.handed_over" and find(events, "run.recovered") == []
    assert (await deployment.redis.hgetall(f"run:{run_id}:lease"))["state"] == "queued"
    assert "cut off at the end" in worker.log_file.read_text()
