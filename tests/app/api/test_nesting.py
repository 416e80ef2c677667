"""JSON that is nested more deeply than a log can give back: refused before it is accepted."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from app.contract.events import Unreadable
from app.contract.manifest import WorkflowManifest
from app.contract.payloads import Ask
from app.stores.fleet import Fleet
from app.stores.log import Log
from tests.app.conftest import Take, start_echo
from tests.support.worker_player import announce

ANYTHING = WorkflowManifest(name="anything", version="1", title="Anything", input_schema={}, output_schema={})


def nest(levels: int, key: str = "") -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {key: value} if key else [value]
    return value


@pytest.mark.parametrize("key", ["", "k"])
@pytest.mark.parametrize("levels", [250, 900])
async def test_input_that_is_nested_too_deeply_is_listed(
    ann: httpx2.AsyncClient, fleet: Fleet, levels: int, key: str
) -> None:
    await announce(fleet, ANYTHING)
    answer = await ann.post("/api/workflows/anything/runs", json=nest(levels, key))
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    (problem,) = answer.json()["errors"]
    assert problem["path"] == "" and "nested" in problem["message"]
    assert (await ann.get("/api/runs")).json()["runs"] == []


async def test_what_is_accepted_can_be_read_back(ann: httpx2.AsyncClient, fleet: Fleet, log: Log) -> None:
    """Whatever the limit is: on neither side of it is anything lost."""
    await announce(fleet, ANYTHING)
    accepted = 0
    for levels in (50, 100, 150, 180, *range(190, 210)):
        answer = await ann.post("/api/workflows/anything/runs", json=nest(levels))
        assert answer.status_code in (202, 400), answer.text
        if answer.status_code == 202:
            accepted += 1
            run_id = answer.json()["id"]
            assert not [event for event in await log.read(run_id) if isinstance(event, Unreadable)]
            assert (await ann.get(f"/api/runs/{run_id}")).json()["input"] == nest(levels)
    assert accepted >= 4, "the limit is lower than it was"


@pytest.mark.parametrize("levels", [250, 900])
async def test_an_answer_that_is_nested_too_deeply_is_listed(ann: httpx2.AsyncClient, take: Take, levels: int) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.ask(Ask(ask="a1", name="outline", step="echo"))
    answers = f"/api/runs/{run_id}/answers/outline"
    answer = await ann.post(answers, json={"ask": "a1", "value": nest(levels)})
    assert answer.status_code == 400, answer.text
    (problem,) = answer.json()["errors"]
    assert problem["path"] == "value" and "nested" in problem["message"]
    assert (await ann.get(f"/api/runs/{run_id}")).json()["status"] == "waiting"
    assert (await ann.post(answers, json={"ask": "a1", "value": nest(50)})).status_code == 202


async def test_an_answer_that_is_nested_too_deeply_comes_back_in_its_form(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.ask(Ask(ask="a1", name="outline", step="echo"))
    typed = "[" * 250 + "1" + "]" * 250
    page = await ann.post(f"/runs/{run_id}/answers/outline", data={"ask": "a1", "value": typed})
    assert page.status_code == 400 and typed in page.text and "nested too deeply" in page.text
