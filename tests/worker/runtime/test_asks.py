"""Asks: which answer belongs to which question, and where a question can be asked at all."""

from __future__ import annotations

import asyncio

from app.contract.runs import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import ask, component, resource, workflow
from worker.runtime.values import digest


@workflow("until-yes")
async def until_yes(draft: str) -> int:
    rounds = 1
    while not await ask("approve", draft, bool):
        rounds += 1
        assert rounds < 10, "the same answer came back again and again"
    return rounds


async def test_the_same_question_is_asked_anew_until_it_is_answered_with_yes(harness: Driver) -> None:
    await harness.start(until_yes, "a draft")
    seen: set[str] = set()
    for answer in (False, False, True):
        run = await harness.conduct()
        assert run.status is RunStatus.WAITING
        [question] = run.asks
        assert question.ask not in seen
        seen.add(question.ask)
        await harness.answer("approve", answer)
    assert (await harness.conduct()).output == 3


async def test_the_first_of_equal_questions_has_the_id_that_it_always_had(harness: Driver) -> None:
    await harness.start(until_yes, "a draft")
    assert [question.ask for question in (await harness.conduct()).asks] == [
        digest(["until-yes", "approve", "a draft"])
    ]


@component(retry=SOON)
async def asks_twice(name: str) -> list[str]:
    answers = [await ask(name, "the same", str), await ask(name, "the same", str)]
    resource(Probe).hit("both")
    return answers


@workflow("twice")
async def twice(name: str) -> list[str]:
    return await asks_twice(name)


async def test_each_of_two_equal_questions_has_its_own_answer(harness: Driver) -> None:
    await harness.start(twice, "q")
    for answer in ("first", "second"):
        assert (await harness.conduct()).status is RunStatus.WAITING
        await harness.answer("q", answer)
    assert (await harness.conduct()).output == ["first", "second"]


async def test_another_attempt_gets_the_answers_of_the_one_before(harness: Driver) -> None:
    harness.probe.fail["both"] = [ConnectionError("gone")]
    await harness.start(twice, "q")
    for answer in ("first", "second"):
        await harness.conduct()
        await harness.answer("q", answer)
    assert (await harness.conduct()).output == ["first", "second"]
    assert harness.probe.calls == ["both", "both"]


@workflow("answered-already")
async def answered_already(name: str) -> list[str]:
    turns: list[str] = []
    beside = asyncio.create_task(_take_turns(turns))
    await ask(name, "?", str)
    taken = list(turns)
    beside.cancel()
    return taken


async def _take_turns(turns: list[str]) -> None:
    while True:
        turns.append("turn")
        await asyncio.sleep(0)


async def test_an_answer_that_is_there_already_lets_others_move_too(harness: Driver) -> None:
    await harness.start(answered_already, "q")
    await harness.conduct()
    await harness.answer("q", "yes")
    assert (await harness.conduct()).output
