"""Asks: which answer belongs to which question, and where a question can be asked at all."""

from __future__ import annotations

import asyncio

import pytest

from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import ask, component, gather, resource, workflow
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
        run = await harness.execute()
        assert run.status is RunStatus.WAITING
        [question] = run.asks
        assert question.ask not in seen
        seen.add(question.ask)
        await harness.answer("approve", answer)
    assert (await harness.execute()).output == 3


async def test_the_first_of_equal_questions_has_the_id_that_it_always_had(harness: Driver) -> None:
    await harness.start(until_yes, "a draft")
    assert [question.ask for question in (await harness.execute()).asks] == [
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
        assert (await harness.execute()).status is RunStatus.WAITING
        await harness.answer("q", answer)
    assert (await harness.execute()).output == ["first", "second"]


async def test_another_attempt_gets_the_answers_of_the_one_before(harness: Driver) -> None:
    harness.probe.fail["both"] = [ConnectionError("gone")]
    await harness.start(twice, "q")
    for answer in ("first", "second"):
        await harness.execute()
        await harness.answer("q", answer)
    assert (await harness.execute()).output == ["first", "second"]
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
    await harness.execute()
    await harness.answer("q", "yes")
    assert (await harness.execute()).output


@component
async def asks_once(name: str) -> str:
    return await ask(name, "?", str)


@workflow("named-by-probe")
async def named_by_probe(number: int) -> str:
    return await ask(resource(Probe).values["name"], "?", str)


@pytest.mark.parametrize("name", ["a/b", "", ".", "..", "x" * 201, "line\nbreak", "half \ud83d"])
async def test_a_name_that_is_no_part_of_an_address_is_refused(harness: Driver, name: str) -> None:
    harness.probe.values["name"] = name
    await harness.start(named_by_probe, 1)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None and run.error.kind == "AskRefused"
    assert "named-by-probe" in run.error.message and "name" in run.error.message


@pytest.mark.parametrize("name", ["outline", "Größe & Farbe?", "1", "x" * 200])
async def test_other_names_are_taken(harness: Driver, name: str) -> None:
    harness.probe.values["name"] = name
    await harness.start(named_by_probe, 1)
    assert [question.name for question in (await harness.execute()).asks] == [name]


@component
async def held(name: str) -> str:
    probe = resource(Probe)
    probe.hit(name)
    await probe.hold(name)
    return name


async def _in_a_task(name: str) -> str:
    return await asyncio.create_task(asks_once(name))


async def _in_a_group(name: str) -> str:
    async with asyncio.TaskGroup() as group:
        group.create_task(held("beside"))
        asked = group.create_task(ask(name, "?", str))
    return asked.result()


async def _in_asyncios_gather(name: str) -> str:
    return (await asyncio.gather(ask(name, "?", str), held("beside")))[0]


async def _in_branches_of_a_task(name: str) -> str:
    return (await asyncio.create_task(gather(held("beside"), ask(name, "?", str))))[1]


BESIDE = {
    "task": _in_a_task,
    "group": _in_a_group,
    "asyncio.gather": _in_asyncios_gather,
    "branches of a task": _in_branches_of_a_task,
}


@workflow("beside-the-count")
async def beside_the_count(how: str) -> str:
    return await BESIDE[how]("q")


@pytest.mark.parametrize("how", list(BESIDE))
async def test_an_ask_in_a_task_that_nobody_counts_names_gather(harness: Driver, how: str) -> None:
    """Nobody could say when all is stuck: the run would park while its siblings are at work."""
    harness.probe.gates["beside"].set()
    await harness.start(beside_the_count, how)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None and run.error.kind == "AskRefused"
    assert "`gather`" in run.error.message


@component
async def asks_in_time(name: str) -> str:
    async with asyncio.timeout(60):
        return await ask(name, "?", str)


@component
async def reads_at_once(name: str) -> list[str]:
    await asyncio.gather(asyncio.sleep(0), asyncio.sleep(0))
    return await gather(ask(name, "?", str), asks_in_time(f"{name}-in-time"))


async def test_timeouts_and_tasks_that_ask_nothing_are_welcome(harness: Driver) -> None:
    await harness.start(welcome, 1)
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and [question.name for question in run.asks] == ["q", "q-in-time"]


@workflow("welcome")
async def welcome(number: int) -> list[str]:
    return await reads_at_once("q")


@component
async def second(name: str) -> str:
    resource(Probe).hit(f"second {name}")
    return name


async def _one_after_the_other(name: str) -> str:
    return await second.key(name)(await held.key(name)(name))


@workflow("uncounted")
async def uncounted(number: int) -> list[str]:
    return list(await asyncio.gather(_one_after_the_other("a"), _one_after_the_other("b")))


async def test_a_drain_interrupts_no_sibling_that_is_in_a_task_of_its_own(harness: Driver) -> None:
    await harness.start(uncounted, 1)
    executor, task = await harness.begin()
    for name in ("a", "b"):
        await harness.probe.reached[name].wait()
    executor.drain()
    for name in ("a", "b"):
        harness.probe.gates[name].set()
        await harness.saw("step.succeeded", f"uncounted/held:{name}", 1)
    executor.abort()
    assert await task == "queued"
    assert (await harness.execute()).output == ["a", "b"]
    assert harness.probe.calls == ["a", "b", "second a", "second b"]
