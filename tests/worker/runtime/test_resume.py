"""Resuming at every boundary: the log is cut after each of its events in turn, and another epoch resumes the run."""

from __future__ import annotations

from collections import defaultdict

from app.contract.status import RunStatus, StepStatus
from tests.worker.runtime.harness import Driver
from tests.worker.runtime.rich import OUTPUT, rich

ENDS = {"run.succeeded", "run.incomplete", "run.failed", "run.cancelled"}


def plan_failures(driver: Driver) -> None:
    driver.probe.fail["draft:p0"] = [ConnectionError("no line"), ConnectionError("no line")]
    driver.probe.fail["drafted:p1"] = [ConnectionError("cut off")]
    driver.probe.fail["part:p2"] = [ConnectionError("the part fails after its children succeeded")]


async def finish(driver: Driver) -> None:
    """Execute until the end, answering what is asked."""
    run = await driver.execute()
    while run.status is RunStatus.WAITING:
        await driver.answer("plan", run.asks[0].proposal)
        run = await driver.execute()


async def check_invariants(driver: Driver, note: str) -> None:
    run = await driver.run()
    kinds = await driver.kinds()
    assert run.status is RunStatus.INCOMPLETE, note
    assert run.output == OUTPUT, note
    assert len([kind for kind in kinds if kind in ENDS]) == 1 and kinds[-1] in ENDS, note
    succeeded: set[str] = set()
    attempts: dict[str, int] = defaultdict(int)
    for event in await driver.events():
        if event.type == "step.started":
            assert event.step not in succeeded, f"{note}: {event.step} was started again"
            assert event.attempt > attempts[event.step], f"{note}: {event.step} {event.attempt}"
            attempts[event.step] = event.attempt
        if event.type == "step.succeeded":
            succeeded.add(event.step)
    for number in range(3):
        text = run.steps[f"rich/write-part:p{number}/draft"]
        assert text.counting is not None and text.counting.text == f"text of p{number}", note
    fallback = run.steps["rich/first-way"]
    assert fallback.counting is not None and fallback.counting.text == "" and fallback.status is StepStatus.SUCCEEDED
    assert run.steps["rich/first-way/plain"].counting.text == "second way"  # type: ignore[union-attr]
    assert run.failed_steps == [run.steps["rich/broken"]], note
    assert not run.pending and not run.unreadable, note


async def test_it_ends_well_wherever_the_log_is_cut(harness: Driver) -> None:
    plan_failures(harness)
    await harness.start(rich, 3)
    await finish(harness)
    await check_invariants(harness, "uncut")
    whole = await harness.events()
    assert len(whole) > 60
    for count in range(1, len(whole) + 1):
        if (whole[count - 1].type, whole[count - 1].step) == ("step.succeeded", "rich"):
            continue  # the root's end and the run's are one append
        fork = await harness.fork(count)
        await finish(fork)
        await check_invariants(fork, f"cut after event {count} ({whole[count - 1].type} {whole[count - 1].step})")


async def test_it_ends_well_when_it_is_killed_again_and_again(harness: Driver) -> None:
    """Forty passes are cut five events after they began; attempts still only rise, and no retry is used up."""
    await harness.start(rich, 3)
    driver, count = harness, 1
    for _ in range(40):
        await driver.execute()
        count = min(count + 5, len(await driver.events()) - 1)
        driver = await driver.fork(count)
    await finish(driver)
    await check_invariants(driver, "killed again and again")


async def test_a_run_that_ended_stays_as_it_is_when_a_worker_takes_it_by_mistake(harness: Driver) -> None:
    await harness.start(rich, 3)
    await finish(harness)
    before = await harness.events()
    await harness.execute()
    assert await harness.events() == before


async def test_a_waiting_run_stays_as_it_is_when_a_worker_takes_it_by_mistake(harness: Driver) -> None:
    await harness.start(rich, 3)
    await harness.execute()
    before = await harness.events()
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and await harness.events() == before
