"""Findings of the chaos kit in workflows that do not survive: its messages say what is wrong and what to do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest

from worker.runtime import Retry, Workflow, ask, component, gather, resource, run_id, say, workflow
from worker.runtime.in_memory import MemoryLog
from worker.runtime.retry import exponential
from worker.testing import Chaos, Effects, Endless, InvariantBroken, MemoryCache, ScenarioUnfit, check_log, given


class Outbox:
    """The service outside: it sends mails, and takes money once for each key."""

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._keys: set[str] = set()

    def send(self, to: str) -> None:
        self._effects.note("mail", to)

    def charge(self, order: str, key: str = "") -> None:
        if key not in self._keys:
            self._effects.once("charge", order)
        if key:
            self._keys.add(key)


class Dice:
    """Numbers that differ in every pass over a workflow, as chance would have them."""

    def __init__(self) -> None:
        self._numbers: Iterator[int] = count()

    def throw(self) -> int:
        return next(self._numbers)


@component
async def send_mail(to: str) -> str:
    resource(Outbox).send(to)
    say("sent")
    return f"sent to {to}"


@component
async def charge(order: str) -> str:
    resource(Outbox).charge(order)
    return order


@component
async def charge_with_key(order: str) -> str:
    resource(Outbox).charge(order, key=run_id() + order)
    return order


@workflow("mail")
async def mail(names: list[str]) -> list[str]:
    return await gather(*(send_mail.key(name)(name) for name in names))


@workflow("pay")
async def pay(order: str) -> str:
    return await charge(order)


@workflow("pay-by-key")
async def pay_by_key(order: str) -> str:
    return await charge_with_key(order)


@workflow("guess-whom")
async def guess_whom(who: str) -> int:
    """Chance in the workflow function: each pass mails to somebody else."""
    await send_mail(f"{who}{resource(Dice).throw()}")
    return 0


@workflow("guess-key")
async def guess_key(who: str) -> int:
    """The same mail, by a step of another name in each pass."""
    await send_mail.key(f"try-{resource(Dice).throw()}")(who)
    await send_mail.key("last")("boss")
    return 0


def outbox(chaos: Chaos) -> Callable[[], dict[type, Any]]:
    return lambda: {Outbox: Outbox(chaos.effects), Dice: Dice()}


async def test_an_effect_of_an_interrupted_step_may_happen_again_and_is_reported() -> None:
    chaos = Chaos()
    runs = await chaos.at_every_event(mail, given(["a", "b"], outbox(chaos)))
    assert chaos.killed_after["effect"] == 2
    assert chaos.effects.repeated == {"mail('a')": 2, "mail('b')": 2}
    assert runs > 10


async def test_an_effect_that_may_happen_once_only_must_not_be_repeated() -> None:
    chaos = Chaos()
    with pytest.raises(InvariantBroken) as broken:
        await chaos.at_every_event(pay, given("o1", outbox(chaos)))
    message = str(broken.value)
    assert message.startswith("pay, killed after the effect charge('o1') of pay/charge:\n")
    assert (
        "charge('o1') may happen once, and happened 2 times: in attempt 1 of pay/charge, which was interrupted, "
        "then in attempt 2 of pay/charge, which succeeded" in message
    )
    assert "run_id()" in message


async def test_an_effect_with_a_key_happens_once() -> None:
    chaos = Chaos()
    scenarios = given("o1", outbox(chaos))
    await chaos.at_every_event(pay_by_key, scenarios)
    await chaos.cancel_at_every_event(pay_by_key, scenarios)
    assert not chaos.effects.repeated


async def test_an_effect_of_a_step_that_had_succeeded_never_happens_again() -> None:
    chaos = Chaos()
    with pytest.raises(InvariantBroken) as broken:
        await chaos.at_every_event(guess_whom, given("ada", outbox(chaos)))
    message = str(broken.value)
    assert "guess-whom, killed after step.succeeded of guess-whom/send-mail:\n" in message
    assert "mail('ada1') happened in attempt 2 of guess-whom/send-mail, which had succeeded before" in message
    assert "executed again because of this: changed: to" in message


async def test_an_effect_does_not_move_to_a_step_of_another_name() -> None:
    chaos = Chaos(at=[6])
    with pytest.raises(InvariantBroken) as broken:
        await chaos.at_every_event(guess_key, given("ada", outbox(chaos)))
    assert "mail('ada') happened again in guess-key/send-mail:try-1, although guess-key/send-mail:try-0" in str(
        broken.value
    )


async def test_a_person_may_have_everything_done_again() -> None:
    chaos = Chaos()
    assert await chaos.retry_every_step(pay, given("o1", outbox(chaos))) == 2


@component
async def pick() -> float:
    say("picking")
    return random.random()


@workflow("pick-by-chance")
async def pick_by_chance(_number: int) -> float:
    return await pick()


async def test_it_names_the_first_step_that_differs_and_why() -> None:
    with pytest.raises(InvariantBroken) as broken:
        await Chaos(rerun="pytest tests/mine.py::test_mine", at=[3]).at_every_event(pick_by_chance, given(1))
    message = str(broken.value)
    assert message.startswith("pick-by-chance, killed after step.started of pick-by-chance/pick:\nits output is 0.")
    assert "the first step that differs is pick-by-chance/pick: its result is 0." in message
    assert "Two runs that nobody disturbs differ as well" in message
    assert message.endswith("This run alone: pytest tests/mine.py::test_mine --chaos-at=3")


async def test_it_names_the_step_whose_retry_comes_to_something_else() -> None:
    with pytest.raises(InvariantBroken, match=r"^pick-by-chance, after a retry of pick-by-chance:\nits output is 0\."):
        await Chaos().retry_every_step(pick_by_chance, given(1))


@component
async def double(number: int) -> int:
    say("doubling")
    return 2 * number


@workflow("chance-outside")
async def chance_outside(_number: int) -> int:
    return await double(resource(Dice).throw())


async def test_it_names_the_input_that_changed_when_the_run_resumed() -> None:
    with pytest.raises(InvariantBroken) as broken:
        await Chaos(at=[5]).at_every_event(chance_outside, given(1, lambda: {Dice: Dice()}))
    message = str(broken.value)
    assert "killed after step.succeeded of chance-outside/double:\nits output is 2 instead of 0" in message
    assert "the first step that differs is chance-outside/double: changed: number" in message
    assert "attempt 2 of chance-outside/double could not use what was remembered: changed: number" in message
    assert "Two runs" not in message


async def test_a_workflow_that_always_fails_does_not_pass() -> None:
    with pytest.raises(ScenarioUnfit) as unfit:
        await Chaos().at_every_event(mail, given(["a"]))
    assert "mail, undisturbed:\nit ended as failed instead of succeeded\nmail/send-mail:a: OutsideRun: " in str(
        unfit.value
    )
    assert "no Outbox" in str(unfit.value)
    assert "given(…, {Outbox: …})" in str(unfit.value)


async def test_a_workflow_that_is_meant_to_fail_passes() -> None:
    await Chaos().at_every_event(mail, given(["a"], ends="failed"))


@workflow("ask-topic")
async def ask_topic(_number: int) -> str:
    return await ask("topic", None, str)  # type: ignore[arg-type]  # the proposal does not fit, as authors find out


@workflow("ask-until-yes")
async def ask_until_yes(_number: int) -> int:
    rounds = 0
    while not await ask("sure", f"round {rounds}", bool):
        rounds += 1
    return rounds


async def test_a_proposal_that_is_no_answer_needs_one() -> None:
    with pytest.raises(ScenarioUnfit) as unfit:
        await Chaos().at_every_event(ask_topic, given(1))
    assert "ask-topic asks “topic”. No answer is given, and the proposal None does not fit: None is not of" in str(
        unfit.value
    )
    assert "answers={'topic': …}" in str(unfit.value)
    assert await Chaos().at_every_event(ask_topic, given(1, answers={"topic": "bikes"})) > 4


async def test_an_answer_may_depend_on_what_is_asked() -> None:
    sure = {"sure": lambda asked: asked.proposal == "round 2"}
    await Chaos().at_every_event(ask_until_yes, given(1, answers=sure))


async def test_a_run_that_asks_for_ever_is_endless() -> None:
    with pytest.raises(Endless) as endless:
        await Chaos().at_every_event(ask_until_yes, given(1, answers={"sure": False}, most_passes=20))
    message = str(endless.value)
    assert message.startswith("ask-until-yes does not end: 21 passes")
    assert "run.waiting for sure" in message


@workflow("talk-for-ever")
async def talk_for_ever(number: int) -> int:
    while True:
        number = await double.key(str(number))(number + 1)


async def test_a_run_that_writes_for_ever_is_endless() -> None:
    with pytest.raises(Endless, match=r"does not end: 1 passes, 2\d\d entries"):
        await Chaos().at_every_event(talk_for_ever, given(1, most_facts=200))


@workflow("stand-still")
async def stand_still(_number: int) -> None:
    await asyncio.Event().wait()


async def test_a_run_that_writes_nothing_more_is_endless() -> None:
    with pytest.raises(Endless, match=r"^stand-still stands still: .*\n.*\n.*\n.*step.started of stand-still\n"):
        await Chaos().at_every_event(stand_still, given(1, patience=0.01))


@component(retry=Retry(attempts=2, wait=exponential(0.0, jitter=False)))
async def look_up(number: int) -> int:
    resource(list).append(number)
    return number


@workflow("look-up-twice")
async def look_up_twice(number: int) -> int:
    return await look_up.cache(ttl=60)(number) + await look_up.cache(ttl=60).key("again")(number)


async def test_results_are_cached_in_each_run_or_in_all_of_them() -> None:
    seen: list[list[int]] = []

    def notebook() -> dict[type, Any]:
        seen.append([1])  # an empty one would be no resource
        return {list: seen[-1]}

    runs = await Chaos().at_every_event(look_up_twice, given(7, notebook))
    assert {len(calls) for calls in seen} <= {2, 3}, "once, and once more where a kill came too early"
    assert len(seen) == runs + 1
    seen.clear()
    await Chaos().at_every_event(look_up_twice, given(7, notebook, cache=MemoryCache()))
    assert sum(len(calls) - 1 for calls in seen) == 1


@pytest.mark.parametrize("flow", [mail, pay_by_key])
async def test_a_cancelled_run_that_is_retried_comes_to_the_same(flow: Workflow) -> None:
    chaos = Chaos()
    runs = await chaos.cancel_at_every_event(flow, given(["a"] if flow is mail else "o1", outbox(chaos)))
    assert 0 < chaos.events["run.cancelled"] < runs, "the last cancel comes too late"


async def test_a_step_that_runs_is_not_started_again_in_the_same_pass() -> None:
    log = MemoryLog(chance_outside, 1)
    await log.execute(resources={Dice: Dice()})
    events = log.events
    began = next(event for event in events if event.type == "step.started" and "double" in event.step)
    place = events.index(began) + 1
    twice = [*events[:place], began.model_copy(update={"id": f"{place}-1", "attempt": 2}), *events[place:]]
    assert f"{place}-1: chance-outside/double was started again while attempt 1 of it ran" in check_log(twice)
    assert check_log(events) == []
