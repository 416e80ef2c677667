"""`Idempotency-Key` on commands: a key belongs to one request, as it does where runs are started."""

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

STEPS = ["echo/a", "echo/b"]
KEY = {"Idempotency-Key": "q"}
ANSWER = {"ask": "a1", "value": "x"}
RETRY = {"step": STEPS[0], "guidance": "g"}
OTHERS: list[tuple[str, Any, list[Any]]] = [
    ("answers/size", ANSWER, [{**ANSWER, "ask": "b1"}, {**ANSWER, "value": "y"}]),
    ("retries", RETRY, [{**RETRY, "step": STEPS[1]}, {**RETRY, "guidance": ""}, {}]),
]
"""A path, what is posted to it under a key, and what is posted to it under the same key later."""


async def prepare(client: httpx2.AsyncClient, take: Take, path: str) -> str:
    """Start a run that takes commands of this kind."""
    run_id = await start_echo(client)
    worker = await take(run_id)
    await worker.start()
    if path.startswith("answers/"):
        await worker.ask(*(Ask(ask=ask, name="size", step="echo") for ask in ("a1", "b1")))
        return run_id
    for step in STEPS:
        await worker.begin(step)
        await worker.fail(step, "no")
    await worker.end_incomplete("", STEPS)
    return run_id


async def commands(log: Log, run_id: str) -> list[str]:
    return [event.id for event in await log.read(run_id) if event.type in ("command.retry", "command.answer")]


@pytest.mark.parametrize("lost", ["nothing", "redis", "stream"])
@pytest.mark.parametrize(("path", "body", "others"), OTHERS)
async def test_a_key_that_came_with_another_request_is_refused(
    ann: httpx2.AsyncClient, take: Take, log: Log, stores: Stores, redis: Redis,
    path: str, body: dict[str, Any], others: list[Any], lost: str,
) -> None:  # fmt: skip
    run_id = await prepare(ann, take, path)
    assert (await ann.post(f"/api/runs/{run_id}/{path}", json=body, headers=KEY)).status_code == 202
    if lost != "nothing":
        await Archiver(stores).archive_batch()
        await (redis.flushall() if lost == "redis" else redis.delete(f"run:{run_id}:log"))
    for other in others:
        answer = await ann.post(f"/api/runs/{run_id}/{path}", json=other, headers=KEY)
        assert answer.status_code == 409 and "Idempotency-Key" in answer.json()["detail"], other
    repeat = await ann.post(f"/api/runs/{run_id}/{path}", json=body, headers=KEY)
    assert repeat.status_code == 202
    assert len(await commands(log, run_id)) == 1


@pytest.mark.parametrize(("path", "body", "others"), OTHERS)
async def test_of_two_requests_at_once_under_one_key_only_one_is_told_that_it_was_taken(
    ann: httpx2.AsyncClient, take: Take, log: Log, path: str, body: dict[str, Any], others: list[Any]
) -> None:
    run_id = await prepare(ann, take, path)
    wishes = [body, others[0]] * 4
    answers = await asyncio.gather(*(ann.post(f"/api/runs/{run_id}/{path}", json=wish, headers=KEY) for wish in wishes))
    assert len(await commands(log, run_id)) == 1
    first, second = (tuple(answer.status_code for answer in answers[which::2]) for which in (0, 1))
    assert {first, second} == {(202,) * 4, (409,) * 4}


async def test_a_key_of_one_kind_of_command_is_free_for_another(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await prepare(ann, take, "answers/size")
    assert (await ann.post(f"/api/runs/{run_id}/answers/size", json=ANSWER, headers=KEY)).status_code == 202
    assert (await ann.post(f"/api/runs/{run_id}/cancellation", headers=KEY)).status_code == 202
