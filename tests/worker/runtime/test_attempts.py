"""The end of an attempt: tasks that outlive it write nothing more, and steps that are open below it are closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from app.contract.payloads import Called
from app.contract.status import OPEN_STEPS, RunStatus, StepStatus
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import StepFailed, ask, component, gather, progress, publish, resource, say, spend, stream, workflow
from worker.runtime.errors import OutsideRun
from worker.testing.invariants import check_log


@component
async def small(name: str) -> str:
    return name


async def _ask_late() -> None:
    await ask("late", "?", str)


async def _call_late() -> None:
    await small("late")


LATE: dict[str, Callable[[], Any]] = {
    "stream": lambda: stream("old"),
    "say": lambda: say("old"),
    "progress": lambda: progress(1, 2),
    "publish": lambda: publish("old", 1),
    "spend": lambda: spend(Called(model="m")),
    "ask": _ask_late,
    "call": _call_late,
}


def leave_behind(how: str) -> None:
    """Start a task that nobody awaits, and that continues when its gate opens."""
    probe = resource(Probe)

    async def later() -> None:
        await probe.hold("later")
        if (outcome := LATE[how]()) is not None:
            await outcome

    probe.values["task"] = asyncio.create_task(later())


async def late_error() -> BaseException | None:
    """Open the gate of the task; return its error when it has ended."""
    probe = resource(Probe)
    probe.gates["later"].set()
    await asyncio.wait([probe.values["task"]])
    error: BaseException | None = probe.values["task"].exception()
    return error


@component(retry=SOON)
async def leaves_task(how: str) -> str:
    probe = resource(Probe)
    if "task" in probe.values:
        stream("new ")
        probe.values["error"] = await late_error()
        stream("text")
        return "ok"
    stream("old ")
    leave_behind(how)
    await probe.reached["later"].wait()
    probe.hit("leaves")
    return "left"


@workflow("outliving")
async def outliving(how: str) -> str:
    outcome = await leaves_task(how)
    probe = resource(Probe)
    if "error" not in probe.values:
        probe.values["error"] = await late_error()
    return outcome


@pytest.mark.parametrize("how", list(LATE))
@pytest.mark.parametrize("fails", [True, False])
async def test_a_task_that_outlives_its_attempt_writes_nothing_more(harness: Driver, how: str, fails: bool) -> None:
    harness.probe.fail["leaves"] = [ConnectionError("cut")] if fails else []
    await harness.start(outliving, how)
    run = await harness.execute()
    error = harness.probe.values["error"]
    assert isinstance(error, OutsideRun) and "Await" in str(error) and "outliving/leaves-task" in str(error)
    step = run.steps["outliving/leaves-task"]
    assert run.status is RunStatus.SUCCEEDED and step.counting is not None
    assert step.counting.text == ("new text" if fails else "old ")
    assert list(run.steps) == ["outliving", "outliving/leaves-task"]
    assert check_log(await harness.events()) == []


@component
async def substitute(how: str) -> str:
    resource(Probe).values["error"] = await late_error()
    stream("new text")
    return "substitute"


@workflow("outliving-fallback")
async def outliving_fallback(how: str) -> str:
    return await leaves_task.retry(SOON).fallback(substitute.function)(how)


async def test_a_task_does_not_write_into_the_fallback(harness: Driver) -> None:
    harness.probe.fail["leaves"] = [ValueError("for good")]
    await harness.start(outliving_fallback, "stream")
    run = await harness.execute()
    step = run.steps["outliving-fallback/leaves-task"]
    assert isinstance(harness.probe.values["error"], OutsideRun)
    assert run.output == "substitute" and step.counting is not None and step.counting.text == "new text"


@component
async def slow_child() -> str:
    stream("begun ")
    await resource(Probe).hold("child")
    stream("late")
    return "late"


@component
async def leaves_child() -> str:
    probe = resource(Probe)
    probe.values["task"] = asyncio.create_task(slow_child())
    await probe.reached["child"].wait()
    return "left"


@workflow("orphaned")
async def orphaned(number: int) -> str:
    outcome = await leaves_child()
    probe = resource(Probe)
    probe.gates["child"].set()
    await asyncio.wait([probe.values["task"]])
    await ask("q", "?", str)
    return outcome


async def test_a_step_that_outlives_the_step_around_it_is_skipped_and_writes_nothing_more(harness: Driver) -> None:
    await harness.start(orphaned, 1)
    run = await harness.execute()
    child = run.steps["orphaned/leaves-child/slow-child"]
    assert run.status is RunStatus.WAITING and child.status is StepStatus.SKIPPED
    assert child.latest is not None and child.latest.text == "begun "
    assert isinstance(harness.probe.values["task"].exception(), OutsideRun)
    assert check_log(await harness.events()) == []


@component
async def writes_on(name: str) -> str:
    stream("some text ")
    await resource(Probe).hold("never")
    return name


@component
async def around(name: str) -> str:
    return await writes_on(name)


@component
async def fails_beside(name: str) -> str:
    await resource(Probe).reached["never"].wait()
    raise ValueError("failed beside")


@component
async def pair(name: str) -> list[str]:
    return await gather(around(name), fails_beside(name))


@workflow("interrupting")
async def interrupting(how: str) -> str:
    match how:
        case "boundary":
            await pair.settled()(how)
        case "caught":
            with pytest.raises(StepFailed):
                await pair.function(how)  # its steps stand right below the workflow
        case "timeout":
            await around.timeout(0.05).settled()(how)
        case "asyncio":
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await around(how)
    return await ask("q", "?", str)


@pytest.mark.parametrize("how", ["boundary", "caught", "timeout", "asyncio"])
async def test_what_was_interrupted_does_not_stay_open_in_a_run_that_waits(harness: Driver, how: str) -> None:
    await harness.start(interrupting, how)
    run = await harness.execute()
    assert run.status is RunStatus.WAITING
    [inner] = [step for step in run.steps.values() if step.component == "writes-on"]
    assert inner.status is StepStatus.SKIPPED and inner.latest is not None and inner.latest.text == "some text "
    assert [step.path for step in run.steps.values() if step.status in OPEN_STEPS] == ["interrupting"]
    assert check_log(await harness.events()) == []
    await harness.retry(inner.path)
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and not run.refused
    assert len(await harness.started(inner.path)) == 2


async def test_a_parked_run_leaves_what_waits_open(harness: Driver) -> None:
    await harness.start(waiting_inside, 1)
    run = await harness.execute()
    assert {step.status for step in run.steps.values()} == {StepStatus.RUNNING}


@component
async def asks_inside(name: str) -> str:
    return await ask(name, "?", str)


@workflow("waiting-inside")
async def waiting_inside(number: int) -> list[str]:
    return await gather(asks_inside.key("a")("a"), asks_inside.key("b")("b"))


@component
async def leaves_ask(name: str) -> int:
    """Ask the first time; after that start a task that asks, and end while it does."""
    probe = resource(Probe)
    if not probe.calls:
        probe.hit("asks")
        return await ask(name, 0, int)
    probe.values["task"] = asyncio.create_task(ask(name, 0, int))
    await asyncio.sleep(0)
    return 1


@workflow("leaving-ask")
async def leaving_ask(name: str) -> int:
    result = await leaves_ask(name)
    await asyncio.wait([resource(Probe).values["task"]])
    return result


async def test_an_ask_that_outlives_its_attempt_says_nothing_of_an_answer_that_does_not_fit(harness: Driver) -> None:
    await harness.start(leaving_ask, "q")
    assert (await harness.execute()).status is RunStatus.WAITING
    await harness.answer("q", "no number")
    run = await harness.execute()
    assert run.output == 1 and run.steps["leaving-ask/leaves-ask"].status is StepStatus.SUCCEEDED
    assert isinstance(harness.probe.values["task"].exception(), OutsideRun)
    assert check_log(await harness.events()) == []
