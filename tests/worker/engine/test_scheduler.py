"""The scheduler: which runs it enqueues, leaves to other workers, and marks as stalled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from arq.connections import ArqRedis
from structlog.testing import capture_logs

from app.contract import keys
from app.contract.keys import queue_key
from app.contract.manifest import STALLED_AFTER_SECONDS
from app.contract.settings import Settings
from app.runs.submission import Submission
from app.stores.stores import Stores
from app.stores.tables import Workspace
from tests.support.worker_process import ROOT, until
from worker.engine.archiver import Archiver
from worker.engine.arq_queue import ArqQueue, connect_arq
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.engine.scheduler import Scheduler
from worker.runtime import Workflows, component, resource, say, workflow


@component
async def linger() -> str:
    await resource(asyncio.Event).wait()
    say("at last")
    return "done"


@workflow("lingering")
async def lingering(text: str) -> str:
    """Does nothing for a long time."""
    return await linger()


class World:
    """One worker's scheduler and holder, with nobody between them who takes the jobs."""

    def __init__(self, stores: Stores, arq: ArqRedis) -> None:
        self.stores, self.arq = stores, arq
        self.released = asyncio.Event()
        identity, workflows = WorkerIdentity("w1", "test"), Workflows([lingering])
        self.holder = RunHolder(identity, workflows, stores, lambda *_: {asyncio.Event: self.released}, capacity=4)
        queue = ArqQueue(arq, stores, self.holder, workflows.versions)
        self.scheduler = Scheduler(identity, workflows, stores, self.holder, queue, author="a")
        self.work = asyncio.create_task(self.scheduler.run_forever())

    async def queued(self) -> list[str]:
        """Return the ids of the runs that wait in arq."""
        jobs: list[str] = await self.stores.redis.zrange(queue_key({"lingering": "1"}), 0, -1)
        return [job.rpartition(":")[0] or job for job in jobs]

    async def stalled(self) -> list[str]:
        return [run_id for beat in await self.stores.fleet.workers() for run_id in beat.stalled]

    async def wait_until(self, condition: Callable[[], Any]) -> None:
        await until(condition, lambda: repr(self.work))

    async def close(self) -> None:
        self.work.cancel()
        await asyncio.gather(self.work, return_exceptions=True)
        await self.holder.drain(0)


@pytest.fixture
async def world(settings: Settings, stores: Stores) -> AsyncIterator[World]:
    arq = connect_arq(settings.redis_url, {"lingering": "1"})
    async with stores.database.writing() as session:
        session.add(Workspace(id="ws_1"))
    await stores.fleet.announce([lingering.manifest()])
    opened = World(stores, arq)
    yield opened
    await opened.close()
    await arq.aclose()


@pytest.fixture
def submission(settings: Settings, stores: Stores) -> Submission:
    return Submission(settings, stores.database, stores.log, stores.fleet)


async def test_runs_of_others_do_not_keep_back_ones_own(world: World, submission: Submission) -> None:
    await world.stores.redis.zadd(keys.DUE, {f"run_{number}": number for number in range(1, 301)})
    run_id = (await submission.submit("lingering", "x", "ws_1")).run_id

    async def is_queued() -> bool:
        return any(run_id in job for job in await world.queued())

    await world.wait_until(is_queued)
    assert len(await world.queued()) == 1


async def test_a_run_that_beats_but_does_not_move_is_marked_once(world: World, submission: Submission) -> None:
    run_id = (await submission.submit("lingering", "x", "ws_1")).run_id
    await world.holder.start(run_id)
    lease = keys.lease_key(run_id)

    async def is_marked() -> bool:
        return await world.stalled() == [run_id]

    async def is_not_marked() -> bool:
        return await world.stalled() == []

    async def has_begun() -> bool:
        return "run.started" in [event.type for event in await world.stores.log.read(run_id)]

    await world.wait_until(has_begun)
    before = await world.stores.log.entries(run_id)
    ms, seq = before[-1][0].split("-")
    with capture_logs() as logs:
        await world.stores.redis.hset(lease, "last", f"{int(ms) - int(STALLED_AFTER_SECONDS * 1000)}-{seq}")
        await world.wait_until(is_marked)
        await world.scheduler.find_stalled()
    assert [entry["run"] for entry in logs if entry["event"] == "run stalled"] == [run_id]
    assert await world.stores.log.entries(run_id) == before
    world.released.set()
    await world.wait_until(is_not_marked)


async def test_a_redis_that_came_back_without_its_last_moments_is_noticed(world: World, submission: Submission) -> None:
    """The run is held, and its lease renewed; but what SQL has last of it, Redis does not know."""
    run_id = (await submission.submit("lingering", "x", "ws_1")).run_id
    await world.holder.start(run_id)
    await world.scheduler.sweep()
    await Archiver(world.stores).archive_batch()
    assert world.holder.runs == [run_id]
    await world.stores.redis.hset(keys.lease_key(run_id), "last", "1-0")

    # To a scheduler that begins now, every Redis is new.
    late = World(world.stores, world.arq)

    async def is_let_go() -> bool:
        return not world.holder.runs

    await world.wait_until(is_let_go)
    await late.close()
    assert (await world.stores.archive.position(run_id)).state == "queued"


def test_pages_and_the_scheduler_agree_on_when_a_run_is_stalled() -> None:
    page = (ROOT / "templates/layouts/live.html").read_text()
    assert f'data-stalled-after="{STALLED_AFTER_SECONDS:g}"' in page
