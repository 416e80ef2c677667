"""A run that was stopped goes on from where it was stopped, over the API as from its page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import httpx2
import pytest

from app.contract.events import CommandRetry
from app.contract.status import StepStatus
from app.stores.log import Log
from tests.app.conftest import Take, start_echo


async def stop(client: httpx2.AsyncClient, take: Take, phase: str) -> str:
    """Play a run that is cancelled before it began, in its first step, or in a later one beside a failed one."""
    run_id = await start_echo(client)
    worker = await take(run_id)
    if phase != "queued":
        await worker.start()
        await worker.begin("echo")
        await worker.begin("echo/a")
    if phase == "later":
        await worker.succeed("echo/a", "done")
        await worker.begin("echo/b")
        await worker.fail("echo/b", "no")
        await worker.begin("echo/c")
        await worker.begin("echo/c/inner")
    await worker.end_cancelled()
    return run_id


Asks = Callable[[httpx2.AsyncClient, str], Awaitable[int]]

GOES_ON_WITH: dict[str, list[str]] = {"queued": [], "first": ["echo/a"], "later": ["echo/b", "echo/c/inner"]}


async def by_api(client: httpx2.AsyncClient, run_id: str) -> int:
    return (await client.post(f"/api/runs/{run_id}/retries", json={})).status_code


async def by_page(client: httpx2.AsyncClient, run_id: str) -> int:
    """Send the form that the page offers, with all that stands in it."""
    page = (await client.get(f"/runs/{run_id}")).text
    form = next(form for form in re.findall(r"<form.*?</form>", page, re.DOTALL) if "Go on" in form)
    action = re.search(r'action="([^"]*)"', form)
    assert action
    fields = dict(re.findall(r'name="([^"]*)" value="([^"]*)"', form))
    return (await client.post(action[1], data=fields)).status_code


@pytest.mark.parametrize("phase", list(GOES_ON_WITH))
@pytest.mark.parametrize("asked", [by_api, by_page])
async def test_a_stopped_run_goes_on_from_where_it_was(
    ann: httpx2.AsyncClient, take: Take, log: Log, phase: str, asked: Asks
) -> None:
    run_id = await stop(ann, take, phase)
    assert await asked(ann, run_id) in (202, 303)
    run = await log.fold(run_id)
    assert (run.status, run.objections) == ("queued", {})
    (command,) = run.pending
    assert isinstance(command, CommandRetry) and command.data.steps == GOES_ON_WITH[phase]
    if phase == "later":
        assert run.steps["echo/a"].generation == "" and run.steps["echo/a"].status is StepStatus.SUCCEEDED
    assert await by_api(ann, run_id) == 409


async def test_a_run_that_succeeded_has_nothing_to_go_on_with(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.end("done")
    answer = await ann.post(f"/api/runs/{run_id}/retries", json={})
    assert answer.status_code == 409 and "Nothing failed" in answer.json()["detail"]
