"""Stale workers: frozen ones that wake up, and dead ones that still have a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from app.contract.keys import EXECUTE_JOB, job_id, queue_key
from app.stores.leases import Leases
from tests.support.durable_redis import DurableRedis
from tests.support.worker_process import Deployment, WorkerHandle, until
from tests.worker.engine.log_checks import check_run, find
from worker.engine.arq_queue import connect_arq

VERSIONS = {"ledger": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    folder.mkdir()
    return folder


async def start(deployment: Deployment) -> WorkerHandle:
    return await deployment.start_worker("tests.worker.engine.writing_worker", LONGHAND_MODEL="")


async def wait_for_write(folder: Path, worker: WorkerHandle) -> None:
    """Return when the worker waits for the file, and is about to write."""

    async def is_there() -> bool:
        return (folder / f"reached-{worker.pid}").exists()

    await until(is_there, lambda: worker.log_file.read_text())


async def has_logged(worker: WorkerHandle, text: str) -> bool:
    return text in worker.log_file.read_text()


async def tables(deployment: Deployment) -> dict[str, list[object]]:
    """Return all rows of runs and sites."""
    async with deployment.database.reading() as session:
        names = ("runs", "events", "sites", "pages", "passages")
        return {name: list(await session.execute(text(f"SELECT * FROM {name}"))) for name in names}


async def test_a_frozen_worker_writes_nothing_although_redis_was_lost_meanwhile(
    deployment: Deployment, kept_redis: DurableRedis, folder: Path
) -> None:
    frozen = await start(deployment)
    run_id = await deployment.submit("ledger", str(folder))
    await wait_for_write(folder, frozen)
    frozen.freeze()
    kept_redis.lose()
    kept_redis.start()
    other = await start(deployment)
    await wait_for_write(folder, other)
    (folder / "open").touch()
    run = await deployment.wait_for_end(run_id)
    written, kept = await check_run(deployment, run_id), await tables(deployment)

    # It wakes up in the middle of its step: the file is there, and no Redis refuses it.
    kept_redis.kill()
    frozen.thaw()
    await until(lambda: has_logged(frozen, "write refused"), lambda: frozen.log_file.read_text())
    kept_redis.start()
    await deployment.redis.connection_pool.disconnect()
    await deployment.wait_for_beat(frozen)
    assert await frozen.stop() == 0

    assert (run.status, run.output, run.epoch) == ("succeeded", str(other.pid), 2)
    assert await check_run(deployment, run_id) == written
    assert await tables(deployment) == kept
    assert f"Written by {other.pid}." in str(kept["passages"])


async def test_taking_over_waits_for_no_jobs_time_limit(deployment: Deployment, folder: Path) -> None:
    """Leave a job behind as a worker does that dies before it takes the run: arq keeps the job locked for an hour."""
    (folder / "open").touch()
    first = await start(deployment)
    assert await first.stop() == 0
    run_id = await deployment.submit("ledger", str(folder))
    leases = Leases(deployment.redis, 1000)
    (due,) = await leases.find_due(10)
    since = await leases.claim(due)
    assert since is not None
    arq = connect_arq(deployment.settings.redis_url, VERSIONS)
    await arq.enqueue_job(EXECUTE_JOB, run_id, _job_id=job_id(run_id, since))
    await arq.set(f"arq:in-progress:{job_id(run_id, since)}", "1", px=3_600_000)

    await start(deployment)
    run = await deployment.wait_for_end(run_id)

    assert run.status == "succeeded"
    assert await arq.zcard(queue_key(VERSIONS)) == 1  # the dead worker's job is still there
    await arq.aclose()
    assert len(find(await check_run(deployment, run_id), "run.started")) == 1
