"""Retries over the API: one for each wish, however often it is sent, and also where a run was stopped."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from app.contract.events import CommandRetry
from app.stores.log import Log
from tests.app.conftest import Take, start_echo

STEP = "echo/say"


async def end_with_a_failed_step(client: httpx2.AsyncClient, take: Take) -> str:
    run_id = await start_echo(client)
    worker = await take(run_id)
    await worker.start()
    await worker.begin("echo")
    await worker.begin(STEP)
    await worker.fail(STEP, "no")
    await worker.end_incomplete("", [STEP])
    return run_id


@pytest.mark.parametrize("body", [{"step": STEP}, {"step": "echo"}, {}])
async def test_of_many_retries_at_once_one_is_accepted(
    ann: httpx2.AsyncClient, take: Take, log: Log, body: dict[str, Any]
) -> None:
    run_id = await end_with_a_failed_step(ann, take)

    async def retry(guidance: str) -> httpx2.Response:
        return await ann.post(f"/api/runs/{run_id}/retries", json={**body, "guidance": guidance})

    answers = await asyncio.gather(*(retry(f"g{number}") for number in range(8)))
    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    assert all(answer.json()["detail"] for answer in answers if answer.status_code == 409)
    taken = next(number for number, answer in enumerate(answers) if answer.status_code == 202)
    run = await log.fold(run_id)
    accepted = [c for c in run.pending if isinstance(c, CommandRetry) and c.id not in run.objections]
    assert [command.data.guidance for command in accepted] == [f"g{taken}"]


async def test_a_refused_retry_is_refused_again_when_it_is_repeated(
    ann: httpx2.AsyncClient, take: Take, log: Log
) -> None:
    run_id = await end_with_a_failed_step(ann, take)

    async def retry(key: str) -> httpx2.Response:
        path = f"/api/runs/{run_id}/retries"
        return await ann.post(path, json={"step": STEP}, headers={"Idempotency-Key": key})

    first = await asyncio.gather(*(retry(f"k{number}") for number in range(8)))
    again = [await retry(f"k{number}") for number in range(8)]
    assert [answer.status_code for answer in again] == [answer.status_code for answer in first]


async def test_a_second_click_on_a_page_comes_back_to_the_page(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await end_with_a_failed_step(ann, take)
    path = f"/runs/{run_id}/retries"
    clicks = await asyncio.gather(*(ann.post(path, data={"step": STEP}) for _ in range(4)))
    later = await ann.post(path, data={"step": STEP})
    assert {click.status_code for click in [*clicks, later]} == {303}
    run = await log.fold(run_id)
    assert len(run.pending) - len(run.objections) == 1
