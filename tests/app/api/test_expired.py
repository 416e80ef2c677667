"""An ended run whose hot stream has expired: SQL answers, with the same cursors, and the run can go on from there."""

from __future__ import annotations

import json

import httpx2
import pytest
from redis.asyncio import Redis

from app.contract import keys
from app.contract.cursors import is_after
from app.stores.archive import Archive
from app.stores.log import Log
from app.stores.unshipped import Unshipped
from tests.app.conftest import Take, start_echo
from tests.support.worker_player import WorkerPlayer
from worker.engine.archiver import Archiver

STEPS = ("echo/a", "echo/b")


@pytest.fixture
async def ended(ann: httpx2.AsyncClient, take: Take) -> str:
    """Play a run that ends with a failed step; return its id."""
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    for path in ("echo", *STEPS):
        await worker.begin(path)
    await worker.write(STEPS[0], "Said at last.")
    await worker.succeed(STEPS[0], "Said at last.")
    await worker.fail(STEPS[1], "no")
    await worker.end_incomplete("half", [STEPS[1]])
    return run_id


@pytest.fixture
async def expire(log: Log, archive: Archive, redis: Redis, ended: str) -> Archiver:
    """Return an archiver whose sealed logs expire at once."""
    return Archiver(log, archive, Unshipped(redis, keep_ms=1))


async def seal(shipper: Archiver, redis: Redis, run_id: str) -> None:
    await shipper.ship()
    while await redis.exists(keys.log_key(run_id)):
        pass


async def read_all(client: httpx2.AsyncClient, run_id: str) -> dict[str, str]:
    """Read all that the API and the pages show of the run, by address."""
    addresses = [f"/api/runs/{run_id}{part}" for part in ("", "/events", "/output", "/trace")]
    answers = {address: await client.get(address) for address in [*addresses, f"/runs/{run_id}"]}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {address: answer.text for address, answer in answers.items()}


async def test_everything_is_as_it_was(
    ann: httpx2.AsyncClient, ended: str, expire: Archiver, redis: Redis, log: Log
) -> None:
    before, entries = await read_all(ann, ended), await log.entries(ended)
    await seal(expire, redis, ended)
    assert await read_all(ann, ended) == before
    for place, (cursor, _) in enumerate(entries):
        path = f"/api/runs/{ended}/events"
        answer = await ann.get(path, params={"after": cursor}, headers={"accept": "application/x-ndjson"})
        seen = [json.loads(line)["id"] for line in answer.text.splitlines()]
        assert seen == [later for later, _ in entries[place + 1 :]]
        live = await ann.get(f"/runs/{ended}/live", params={"after": cursor})
        assert live.status_code == 200 and "event: reset" not in live.text


async def test_a_retry_goes_on_from_there(
    ann: httpx2.AsyncClient, ended: str, expire: Archiver, redis: Redis, log: Log, take: Take
) -> None:
    old = await log.entries(ended)
    await seal(expire, redis, ended)
    answer = await ann.post(f"/api/runs/{ended}/retries", json={"step": STEPS[1], "guidance": "again"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    worker: WorkerPlayer = await take(ended)
    await worker.start()
    await worker.begin(STEPS[1], attempt=2)
    await worker.succeed(STEPS[1], "Said twice.", attempt=2)
    await worker.end("whole")
    entries = await log.entries(ended)
    assert entries[: len(old)] == old
    assert all(is_after(cursor, old[-1][0]) for cursor, _ in entries[len(old) :])
    shape = (await ann.get(f"/api/runs/{ended}")).json()
    assert (shape["status"], shape["output"], shape["cursor"]) == ("succeeded", "whole", entries[-1][0])
    await seal(expire, redis, ended)
    assert await log.entries(ended) == entries
