"""Answers where two branches ask under the same name: each is for the ask whose id it echoes."""

from __future__ import annotations

import re

import httpx2
import pytest

from app.contract.payloads import Ask
from app.stores.log import Log
from tests.app.conftest import Take, start_echo

ASKS = [
    Ask(ask=ask, name="size", step=f"echo/{ask}", proposal=f"proposal {ask}", answer_schema={"type": "string"})
    for ask in ("a1", "b1")
]


async def ask_twice(client: httpx2.AsyncClient, take: Take) -> str:
    run_id = await start_echo(client)
    worker = await take(run_id)
    await worker.start()
    await worker.ask(*ASKS)
    return run_id


@pytest.mark.parametrize("order", [("a1", "b1"), ("b1", "a1")])
async def test_each_of_two_asks_of_one_name_takes_its_own_answer(
    ann: httpx2.AsyncClient, take: Take, log: Log, order: tuple[str, str]
) -> None:
    run_id = await ask_twice(ann, take)
    for ask in order:
        answer = await ann.post(f"/api/runs/{run_id}/answers/size", json={"ask": ask, "value": f"to {ask}"})
        assert answer.status_code == 202, answer.text
    run = await log.fold(run_id)
    assert {ask: command.data.value for ask, command in run.answers.items()} == {"a1": "to a1", "b1": "to b1"}
    assert not run.objections


async def test_an_answer_is_for_an_open_ask_of_that_name(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await ask_twice(ann, take)
    reasons = {}
    for name, ask in [("size", "a0"), ("colour", "a1"), ("colour", "a0")]:
        answer = await ann.post(f"/api/runs/{run_id}/answers/{name}", json={"ask": ask, "value": "x"})
        assert answer.status_code == 409, answer.text
        reasons[name, ask] = answer.json()["detail"]
    assert "older proposal" in reasons["size", "a0"]
    assert all("colour" in reasons["colour", ask] for ask in ("a0", "a1"))


async def test_an_answer_without_an_id_is_for_no_ask(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await ask_twice(ann, take)
    answer = await ann.post(f"/api/runs/{run_id}/answers/size", json={"ask": "", "value": "x"})
    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "ask")
    page = await ann.post(f"/runs/{run_id}/answers/size", data={"value": '"x"'})
    assert page.status_code == 400


async def test_both_forms_of_a_page_answer_their_own_ask(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await ask_twice(ann, take)
    page = (await ann.get(f"/runs/{run_id}")).text
    forms = re.findall(r'<form[^>]*action="([^"]*/answers/[^"]*)"[^>]*>(.*?)</form>', page, re.DOTALL)
    for action, form in reversed(forms):
        ask = re.search(r'name="ask" value="([^"]*)"', form)
        assert ask and f"proposal {ask[1]}" in form
        answer = await ann.post(action, data={"ask": ask[1], "value": f'"to {ask[1]}"'})
        assert answer.status_code == 303, answer.text
    run = await log.fold(run_id)
    assert {ask: command.data.value for ask, command in run.answers.items()} == {"a1": "to a1", "b1": "to b1"}


@pytest.mark.parametrize("ask", ["a1", "b1"])
async def test_what_does_not_fit_comes_back_in_its_own_form(ann: httpx2.AsyncClient, take: Take, ask: str) -> None:
    run_id = await ask_twice(ann, take)
    page = await ann.post(f"/runs/{run_id}/answers/size", data={"ask": ask, "value": "[17]"})
    assert page.status_code == 400
    forms = re.findall(r"<form[^>]*/answers/.*?</form>", page.text, re.DOTALL)
    told = ["[17]" in form and 'role="alert"' in form for form in forms]
    untouched = ["proposal" in form and 'role="alert"' not in form for form in forms]
    assert told == [one == ask for one in ("a1", "b1")] and untouched == [not one for one in told]
