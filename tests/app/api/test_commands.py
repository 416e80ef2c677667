from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from redis.asyncio import Redis

from app.contract.payloads import Ask
from app.stores.log import Log
from app.stores.stores import Stores
from tests.app.conftest import Take, start_echo
from worker.engine.archiver import Archiver

STEP = "echo/say"


async def test_cancelling_is_one_command(ann: httpx2.AsyncClient, log: Log) -> None:
    run_id = await start_echo(ann)
    for _ in range(2):
        answer = await ann.post(f"/api/runs/{run_id}/cancellation")
        assert (answer.status_code, answer.json()["id"]) == (202, run_id)
    assert [event.type for event in await log.read(run_id)] == ["run.submitted", "command.cancel"]


async def test_an_ended_run_is_not_cancelled(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.end()
    answer = await ann.post(f"/api/runs/{run_id}/cancellation")
    assert answer.status_code == 409
    assert "ended" in answer.json()["detail"]


async def test_a_failed_step_is_retried_with_guidance(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.begin(STEP)
    await worker.fail(STEP, "no")
    await worker.end_incomplete("", [STEP])
    answer = await ann.post(f"/api/runs/{run_id}/retries", json={"step": STEP, "guidance": "louder"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    command = (await log.read(run_id))[-1].model_dump()
    assert (command["type"], command["data"]) == ("command.retry", {"steps": [STEP], "guidance": "louder"})
    again = await ann.post(f"/api/runs/{run_id}/retries", json={"step": STEP})
    assert again.status_code == 409


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_without_a_step_all_that_failed_is_retried(
    ann: httpx2.AsyncClient, take: Take, log: Log, body: bytes
) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    for path in ("echo", "echo/a", "echo/b"):
        await worker.begin(path)
    for path in ("echo/a", "echo/b"):
        await worker.fail(path, "no")
    await worker.fail("echo", "no")
    await worker.end_failed("no")
    answer = await ann.post(f"/api/runs/{run_id}/retries", content=body)
    assert answer.status_code == 202, answer.text
    assert (await log.read(run_id))[-1].model_dump()["data"]["steps"] == ["echo/a", "echo/b"]


async def test_a_retry_that_is_not_possible_says_why(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    retries = f"/api/runs/{run_id}/retries"
    assert (await ann.post(retries)).status_code == 409
    worker = await take(run_id)
    await worker.start()
    await worker.begin(STEP)
    running = await ann.post(retries, json={"step": STEP})
    assert (running.status_code, "running" in running.json()["detail"]) == (409, True)
    assert (await ann.post(retries, json={"step": "echo/nothing"})).status_code == 404
    assert (await ann.post(retries, json={"step": ""})).status_code == 404
    unfit: list[Any] = [{"guidance": "x" * 2001}, {"guidance": "\x07"}, {"stepp": STEP}, {"step": 1}, []]
    for wrong in unfit:
        answer = await ann.post(retries, json=wrong)
        assert (answer.status_code, bool(answer.json()["errors"])) == (400, True), wrong


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"a=b", b"[" * 100_000])
async def test_a_command_that_is_no_json_says_what_to_send(ann: httpx2.AsyncClient, body: bytes) -> None:
    run_id = await start_echo(ann)
    paths = ["answers/outline", *(["retries"] if body else [])]
    for path in paths:
        answer = await ann.post(f"/api/runs/{run_id}/{path}", content=body)
        assert answer.status_code == 400, answer.text
        (error,) = answer.json()["errors"]
        assert (error["path"], "JSON object" in error["message"]) == ("", True)


async def test_an_idempotent_retry_is_one_command_also_when_redis_was_lost(
    ann: httpx2.AsyncClient, take: Take, log: Log, stores: Stores, redis: Redis
) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.begin(STEP)
    await worker.fail(STEP, "no")
    await worker.end_incomplete("", [STEP])
    for lost in (False, False, True):
        if lost:
            await Archiver(stores).archive_batch()
            await redis.flushall()
        answer = await ann.post(f"/api/runs/{run_id}/retries", headers={"Idempotency-Key": "r"})
        assert answer.status_code == 202
    assert [event.type for event in await log.read(run_id)].count("command.retry") == 1


ASK = Ask(ask="a1", name="outline", step="echo", proposal="x", answer_schema={"type": "string", "minLength": 2})


async def wait_for_outline(client: httpx2.AsyncClient, take: Take) -> str:
    run_id = await start_echo(client)
    worker = await take(run_id)
    await worker.start()
    await worker.ask(ASK)
    return run_id


async def test_a_waiting_run_shows_what_it_asks_and_prefer_wait_returns_at_once(
    ann: httpx2.AsyncClient, take: Take
) -> None:
    first = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers={"Idempotency-Key": "k"})
    worker = await take(first.json()["id"])
    await worker.start()
    await worker.ask(ASK)
    headers = {"Idempotency-Key": "k", "Prefer": "wait=600"}
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers=headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "waiting")
    assert answer.json()["waiting_for"] == [
        {"ask": "a1", "name": "outline", "step": "echo", "proposal": "x", "schema": ASK.answer_schema}
    ]


async def test_an_answer_is_checked_and_the_first_one_counts(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await wait_for_outline(ann, take)
    answers = f"/api/runs/{run_id}/answers/outline"
    unfit = await ann.post(answers, json={"ask": "a1", "value": "x"})
    assert (unfit.status_code, unfit.json()["errors"][0]["path"]) == (400, "value")
    assert (await ann.post(answers, json={"ask": "a0", "value": "xy"})).status_code == 409
    assert (await ann.post(answers, json={"value": "xy"})).status_code == 400
    assert (await ann.post(f"/api/runs/{run_id}/answers/else", json={"ask": "a1", "value": "xy"})).status_code == 409
    good = await ann.post(answers, json={"ask": "a1", "value": "xy"})
    assert (good.status_code, good.json()["status"], good.json()["waiting_for"]) == (202, "queued", None)
    second = await ann.post(answers, json={"ask": "a1", "value": "zz"})
    assert (second.status_code, "already" in second.json()["detail"]) == (409, True)
    assert [event.type for event in await log.read(run_id)].count("command.answer") == 1


async def test_of_many_answers_at_once_one_is_accepted(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await wait_for_outline(ann, take)

    async def answer(value: str) -> int:
        path = f"/api/runs/{run_id}/answers/outline"
        return (await ann.post(path, json={"ask": "a1", "value": value})).status_code

    statuses = await asyncio.gather(*(answer(f"v{number}") for number in range(10)))
    assert sorted(statuses) == [202] + [409] * 9
    counted = (await log.fold(run_id)).answers["a1"]
    assert counted.data.value == f"v{statuses.index(202)}"
