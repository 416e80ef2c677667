"""Retry, timeout, cache, fallback and the error boundary."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.contract.status import RunStatus, StepStatus
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import (
    Failed,
    Ok,
    Retry,
    StepFailed,
    component,
    exponential,
    gather,
    guidance,
    resource,
    uncharged,
    workflow,
)
from worker.runtime.retry import LONGEST_RETRY_AFTER


class Busy(Exception):
    transient = True

    def __init__(self, retry_after: float) -> None:
        super().__init__("busy")
        self.retry_after = retry_after


@component(retry=SOON)
async def shaky(number: int) -> int:
    resource(Probe).hit("shaky")
    return number


@workflow("one-step")
async def one_step(number: int) -> int:
    return await shaky(number)


async def test_it_is_tried_again_for_the_named_exceptions(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ConnectionError("1"), ConnectionError("2")]
    await harness.start(one_step, 1)
    assert (await harness.execute()).status is RunStatus.SUCCEEDED
    assert [event.data.counted for event in await harness.events("step.retrying")] == [True, True]
    assert [event.attempt for event in await harness.started("one-step/shaky")] == [1, 2, 3]


async def test_it_fails_when_its_attempts_are_used_up(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ConnectionError(str(n)) for n in range(1, 5)]
    await harness.start(one_step, 1)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert (run.error.message, run.error.step) == ("3", "one-step/shaky")
    assert len(harness.probe.calls) == 3


async def test_it_is_not_tried_again_for_others(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ValueError("no")]
    await harness.start(one_step, 1)
    assert (await harness.execute()).status is RunStatus.FAILED
    assert len(harness.probe.calls) == 1


async def test_failures_are_counted_across_resumes_and_interruptions_are_not(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ConnectionError("1")]
    await harness.start(one_step, 1)
    await harness.execute()
    events = await harness.events()
    second = next(i for i, e in enumerate(events) if e.type == "step.started" and e.attempt == 2 and "/" in e.step)
    driver = harness
    for _ in range(4):  # crashes four times in its second attempt
        driver = await driver.fork(second + 1)
        driver.probe.fail["shaky"] = [ConnectionError("2"), ConnectionError("3")]
        run = await driver.execute()
        assert run.status is RunStatus.FAILED and run.error is not None and run.error.message == "3"
        assert len(driver.probe.calls) == 2
        events = await driver.events()
        second = [i for i, e in enumerate(events) if e.type == "step.started" and e.step == "one-step/shaky"][2]
        driver = await driver.fork(second + 1)
        assert (await driver.run()).steps["one-step/shaky"].failures == 1


async def test_a_retry_after_is_honoured_and_uses_up_nothing(harness: Driver) -> None:
    @component(retry=Retry(attempts=1, on=Busy))
    async def asked(number: int) -> int:
        resource(Probe).hit("asked")
        return number

    @workflow("asking")
    async def asking(number: int) -> int:
        return await asked(number)

    harness.probe.fail["asked"] = [Busy(0.0), Busy(0.001), Busy(0.0)]
    await harness.start(asking, 1)
    assert (await harness.execute()).status is RunStatus.SUCCEEDED
    assert [(e.data.seconds, e.data.counted) for e in await harness.events("step.retrying")] == [
        (0.0, False),
        (0.001, False),
        (0.0, False),
    ]


async def test_a_retry_after_that_is_too_long_counts_as_a_failure(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ConnectionError("x")]
    harness.probe.fail["shaky"][0].retry_after = LONGEST_RETRY_AFTER + 1  # type: ignore[attr-defined]
    await harness.start(one_step, 1)
    await harness.execute()
    assert [e.data.counted for e in await harness.events("step.retrying")] == [True]


def test_exponential_doubles_up_to_its_cap_within_its_jitter() -> None:
    steady = exponential(0.5, cap=4, jitter=False)
    assert [steady(n) for n in range(1, 6)] == [0.5, 1.0, 2.0, 4.0, 4.0]
    spread = exponential(0.5, cap=4)
    for n in range(1, 6):
        pauses = [spread(n) for _ in range(200)]
        assert all(steady(n) / 2 <= pause <= steady(n) for pause in pauses) and len(set(pauses)) > 100


@component
async def steady(number: int) -> int:
    resource(Probe).hit("steady")
    return number


@component
async def fragile(number: int) -> int:
    resource(Probe).hit("fragile")
    return number


@component(retry=SOON)
async def parent(number: int) -> int:
    return await steady(number) + await fragile(number)


@workflow("family")
async def family(number: int) -> int:
    return await parent(number)


async def test_a_parents_retry_runs_failed_children_again_but_not_succeeded_ones(harness: Driver) -> None:
    harness.probe.fail["fragile"] = [ConnectionError("1"), ConnectionError("2")]
    await harness.start(family, 1)
    assert (await harness.execute()).output == 2
    assert harness.probe.calls == ["steady", "fragile", "fragile", "fragile"]


async def test_a_parents_retry_goes_the_same_way_after_a_crash_behind_the_childs_failure(harness: Driver) -> None:
    harness.probe.fail["fragile"] = [ConnectionError("1")]
    await harness.start(family, 1)
    await harness.execute()
    kinds = await harness.kinds()
    fork = await harness.fork(kinds.index("step.failed") + 1)
    assert (await fork.execute()).output == 2
    assert fork.probe.calls == ["fragile"]
    fork = await harness.fork(kinds.index("step.failed") + 1)
    fork.probe.fail["fragile"] = [ConnectionError("2"), ConnectionError("3")]
    assert (await fork.execute()).status is RunStatus.FAILED


@component(timeout=1.0)
async def slow(number: int) -> int:
    probe = resource(Probe)
    if probe.values.get("uncharged"):
        with uncharged():
            with uncharged():
                pass  # one that ends does not set the clock going while another waits
            await asyncio.sleep(1.2)  # longer than the step's whole time
        return number
    await probe.hold("never")
    return number


@workflow("timed")
async def timed(number: int) -> int:
    limited = slow if resource(Probe).values.get("uncharged") else slow.timeout(0.02)
    return await limited.retry(Retry(2, exponential(0.0)))(number)


async def test_each_attempt_has_its_own_time(harness: Driver) -> None:
    await harness.start(timed, 1)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None and run.error.kind == "StepTimeout"
    assert len(await harness.started("timed/slow")) == 2


async def test_waiting_for_others_is_not_charged(harness: Driver) -> None:
    harness.probe.values["uncharged"] = True
    await harness.start(timed, 1)
    assert (await harness.execute()).status is RunStatus.SUCCEEDED


@component(timeout=1.0)
async def patient(number: int) -> list[int]:
    await gather(*(pausing.key(str(n))(n) for n in range(2)))
    return [number]


@component(retry=Retry(2, lambda failure: 1.2, on=ConnectionError))
async def pausing(number: int) -> int:
    resource(Probe).hit(f"pausing {number}")
    return number


@workflow("patience")
async def patience(number: int) -> list[int]:
    return await patient(number)


async def test_a_childs_pause_between_attempts_is_not_charged_to_its_parent(harness: Driver) -> None:
    harness.probe.fail["pausing 0"] = [ConnectionError("a")]
    harness.probe.fail["pausing 1"] = [ConnectionError("b")]
    await harness.start(patience, 1)
    assert (await harness.execute()).status is RunStatus.SUCCEEDED


@workflow("boundary")
async def boundary(number: int) -> list[Any]:
    outcomes = await gather(shaky.key("a").settled()(1), steady.key("b").settled()(2))
    assert isinstance(outcomes[0], Failed) and isinstance(outcomes[1], Ok)
    return [outcomes[0].error.message, outcomes[1].value]


async def test_settled_siblings_go_on_and_the_run_ends_incomplete(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ValueError("broken")]
    await harness.start(boundary, 1)
    run = await harness.execute()
    assert run.status is RunStatus.INCOMPLETE and run.output == ["broken", 2]
    assert [step.path for step in run.failed_steps] == ["boundary/shaky:a"]


@component
async def hesitant(number: int) -> str:
    if number:
        await steady.key("first")(number)
    failed = resource(Probe).values.setdefault("visited", [])
    failed.append(number)
    if len(failed) == 1:
        await fragile.key("once")(number)
    return guidance() or "none"


@workflow("hesitation")
async def hesitation(number: int) -> str:
    return await hesitant.retry(SOON)(number)


async def test_a_failed_child_that_the_last_attempt_did_not_visit_does_not_make_the_run_incomplete(
    harness: Driver,
) -> None:
    harness.probe.fail["fragile"] = [ConnectionError("gone")]
    await harness.start(hesitation, 1)
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED
    assert run.steps["hesitation/hesitant/fragile:once"].status is StepStatus.SKIPPED
    assert run.steps["hesitation/hesitant/steady:first"].status is StepStatus.SUCCEEDED


@component
async def cancels_itself(number: int) -> int:
    task = asyncio.create_task(asyncio.Event().wait())
    task.cancel()
    await task
    return number


@component
async def groups(number: int) -> int:
    async with asyncio.TaskGroup() as group:
        group.create_task(shaky(number))
    return number


@workflow("odd-ends")
async def odd_ends(which: str) -> int:
    if which == "root":
        return await cancels_itself.function(1)  # type: ignore[no-any-return]  # the bare function
    if which == "step":
        outcome = await cancels_itself.settled()(1)
        assert isinstance(outcome, Failed)
        raise StepFailed(outcome.error)
    return await groups(1)


@pytest.mark.parametrize("which", ["step", "root"])
async def test_a_cancellation_from_inside_is_a_failure_and_not_a_hang(harness: Driver, which: str) -> None:
    await harness.start(odd_ends, which)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None and run.error.kind == "CancelledInside"
    assert run.error.step == ("odd-ends/cancels-itself" if which == "step" else "odd-ends")


async def test_a_group_of_errors_is_described_by_its_first(harness: Driver) -> None:
    harness.probe.fail["shaky"] = [ValueError("inside the group")]
    await harness.start(odd_ends, "group")
    run = await harness.execute()
    assert run.error is not None
    assert (run.error.kind, run.error.message) == ("ValueError", "inside the group")
    assert run.error.step == "odd-ends/groups/shaky"
