"""The supervisor: what it finds, what it passes over, what it marks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.contract import keys
from app.contract.keys import queue_key
from app.contract.manifest import STALLED_AFTER_SECONDS
from app.contract.settings import Settings
from app.runs.submission import Submission
from app.stores.archive import Archive
from app.stores.database import Database
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log
from app.stores.tables import Workspace
from app.stores.unshipped import Unshipped
from tests.support.worker_process import ROOT, until
from worker.engine.archiver import Archiver
from worker.engine.arq_queue import ArqQueue, open_queue
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
    """One worker's supervisor and holder, with nobody between them who picks the jobs."""

    def __init__(self, redis: Any, queue: Any, database: Database, fleet: Fleet, leases: Leases, log: Log) -> None:
        self.redis, self.queue, self.database = redis, queue, database
        self.fleet, self.leases, self.log = fleet, leases, log
        self.released = asyncio.Event()
        identity, workflows, epochs = WorkerIdentity("w1", "test"), Workflows([lingering]), Epochs(database)
        resources = {asyncio.Event: self.released}
        self.holder = RunHolder(identity, workflows, log, leases, epochs, lambda _: resources)
        jobs = ArqQueue(queue, self.holder, workflows.versions)
        self.supervisor = Scheduler(
            identity, workflows, self.holder, leases, epochs, Archive(database), fleet, jobs, capacity=4, author="a"
        )
        self.work = asyncio.create_task(self.supervisor.supervise())

    async def queued(self) -> list[str]:
        """The ids of the runs that wait in arq."""
        jobs: list[str] = await self.redis.zrange(queue_key({"lingering": "1"}), 0, -1)
        return [job.rpartition(":")[0] or job for job in jobs]

    async def stalled(self) -> list[str]:
        return [run_id for beat in await self.fleet.workers() for run_id in beat.stalled]

    async def wait_until(self, condition: Callable[[], Any]) -> None:
        await until(condition, lambda: repr(self.work))

    async def close(self) -> None:
        self.work.cancel()
        await asyncio.gather(self.work, return_exceptions=True)
        await self.holder.drain(0)


@pytest.fixture
async def world(
    redis: Any, settings: Settings, database: Database, fleet: Fleet, leases: Leases, log: Log
) -> AsyncIterator[World]:
    queue = open_queue(settings.redis_url, {"lingering": "1"})
    async with database.writing() as session:
        session.add(Workspace(id="ws_1"))
    await fleet.announce([lingering.manifest()])
    opened = World(redis, queue, database, fleet, leases, log)
    yield opened
    await opened.close()
    await queue.aclose()


@pytest.fixture
def submission(settings: Settings, database: Database, log: Log, fleet: Fleet) -> Submission:
    return Submission(settings, database, log, fleet)


async def test_runs_of_others_do_not_keep_back_ones_own(world: World, submission: Submission) -> None:
    await world.redis.zadd(keys.DUE, {f"run_{number}": number for number in range(1, 301)})
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
        return "run.started" in [event.type for event in await world.log.read(run_id)]

    await world.wait_until(has_begun)
    before = await world.log.entries(run_id)
    ms, seq = before[-1][0].split("-")
    with capture_logs() as logs:
        await world.redis.hset(lease, "last", f"{int(ms) - int(STALLED_AFTER_SECONDS * 1000)}-{seq}")
        await world.wait_until(is_marked)
        await world.supervisor.find_stalled()
    assert [entry["run"] for entry in logs if entry["event"] == "run stalled"] == [run_id]
    assert await world.log.entries(run_id) == before
    world.released.set()
    await world.wait_until(is_not_marked)


async def test_a_redis_that_came_back_without_its_last_moments_is_noticed(
    world: World, submission: Submission, archive: Archive
) -> None:
    """The run is held, and its lease renewed; but what SQL has last of it, Redis does not know."""
    run_id = (await submission.submit("lingering", "x", "ws_1")).run_id
    await world.holder.start(run_id)
    await world.supervisor.sweep()
    await Archiver(world.log, archive, Unshipped(world.redis, 60_000)).ship()
    assert world.holder.runs == [run_id]
    await world.redis.hset(keys.lease_key(run_id), "last", "1-0")

    # To a supervisor that begins now, every Redis is new.
    late = World(world.redis, world.queue, world.database, world.fleet, world.leases, world.log)

    async def is_let_go() -> bool:
        return not world.holder.runs

    await world.wait_until(is_let_go)
    await late.close()
    assert (await archive.position(run_id)).state == "queued"


def test_pages_and_the_supervisor_agree_on_when_a_run_is_stalled() -> None:
    page = (ROOT / "templates/layouts/live.html").read_text()
    assert f'data-stalled-after="{STALLED_AFTER_SECONDS:g}"' in page
