"""Workers that come too late: frozen ones that wake up, and dead ones that still hold a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from app.contract.queue_names import EXECUTE, job_id, queue_name
from app.stores.leases import Leases
from tests.support.durable_redis import DurableRedis
from tests.support.worker_process import Product, WorkerHandle, until
from tests.worker.engine.asserting import check_run, find
from worker.engine.arq_queue import connect_arq

VERSIONS = {"ledger": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "ledger"
    made.mkdir()
    return made


async def start(stage: Product) -> WorkerHandle:
    return await stage.start_worker("tests.worker.engine.ledger", LONGHAND_MODEL="")


async def reach(folder: Path, worker: WorkerHandle) -> None:
    """Return when the worker is about to write."""

    async def is_there() -> bool:
        return (folder / f"reached-{worker.pid}").exists()

    await until(is_there, lambda: worker.report.read_text())


async def says(worker: WorkerHandle, text: str) -> bool:
    return text in worker.report.read_text()


async def tables(stage: Product) -> dict[str, list[object]]:
    """All that SQL has of runs and sites."""
    async with stage.database.reading() as session:
        names = ("runs", "events", "sites", "pages", "passages")
        return {name: list(await session.execute(text(f"SELECT * FROM {name}"))) for name in names}


async def test_a_frozen_worker_writes_nothing_although_redis_was_lost_meanwhile(
    stage: Product, kept_redis: DurableRedis, folder: Path
) -> None:
    frozen = await start(stage)
    run_id = await stage.submit("ledger", str(folder))
    await reach(folder, frozen)
    frozen.freeze()
    kept_redis.lose()
    kept_redis.start()
    other = await start(stage)
    await reach(folder, other)
    (folder / "open").touch()
    run = await stage.wait_for_end(run_id)
    written, kept = await check_run(stage, run_id), await tables(stage)

    # It wakes up in the middle of its step: what it waited for is there, and no Redis tells it that it is too late.
    kept_redis.kill()
    frozen.thaw()
    await until(lambda: says(frozen, "write refused"), lambda: frozen.report.read_text())
    kept_redis.start()
    await stage.redis.connection_pool.disconnect()
    await stage.wait_for_beat(frozen)
    assert await frozen.stop() == 0

    assert (run.status, run.output, run.epoch) == ("succeeded", str(other.pid), 2)
    assert await check_run(stage, run_id) == written
    assert await tables(stage) == kept
    assert f"Written by {other.pid}." in str(kept["passages"])


async def test_taking_over_waits_for_no_jobs_time_limit(stage: Product, folder: Path) -> None:
    """A worker died between picking a job and taking its run: arq keeps that job locked for longer than any test."""
    (folder / "open").touch()
    first = await start(stage)
    assert await first.stop() == 0
    run_id = await stage.submit("ledger", str(folder))
    leases = Leases(stage.redis, 1000)
    (due,) = await leases.due(10)
    since = await leases.claim(due)
    assert since is not None
    arq = connect_arq(stage.settings.redis_url, VERSIONS)
    await arq.enqueue_job(EXECUTE, run_id, _job_id=job_id(run_id, since))
    await arq.set(f"arq:in-progress:{job_id(run_id, since)}", "1", px=3_600_000)

    await start(stage)
    run = await stage.wait_for_end(run_id)

    assert run.status == "succeeded"
    assert await arq.zcard(queue_name(VERSIONS)) == 1  # the dead worker's job is still there
    await arq.aclose()
    assert len(find(await check_run(stage, run_id), "run.started")) == 1
