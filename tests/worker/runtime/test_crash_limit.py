"""Runs whose workers stop again and again: they end, say where and what to do, and can be retried."""

from __future__ import annotations

import pytest

from app.contract import events as e
from app.contract.payloads import HandedOver, Recovered
from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, MemoryHarness, Probe
from worker.runtime import component, gather, resource, workflow
from worker.runtime.crash_limit import CRASH_LIMIT

RECOVERED = e.RunRecovered(data=Recovered(holder="w1"))
TROUBLE = e.RunHandedOver(data=HandedOver(reason="its worker could not go on with it (TypeError)", trouble=True))


@component
async def heavy(name: str) -> str:
    await resource(Probe).hold(name)
    return name


@workflow("heavy-flow")
async def heavy_flow(count: int) -> list[str]:
    """Run heavy steps side by side."""
    return await gather(*(heavy.key(str(n))(f"heavy {n}") for n in range(count)))


class CrashingRun:
    """A run whose workers crash while they hold it."""

    def __init__(self) -> None:
        self.harness = MemoryHarness()
        self.driver = Driver(self.harness)

    async def lose_workers(self, count: int, event: e.Event = RECOVERED) -> None:
        """Let `count` workers in turn take the run, reach its first step, and crash."""
        for _ in range(count):
            self.harness.probe.reached.clear()
            _, task = await self.driver.begin()
            await self.harness.probe.reached["heavy 0"].wait()
            task.cancel()
            self.harness.log.put(event)


@pytest.fixture
async def crashing() -> CrashingRun:
    run = CrashingRun()
    await run.driver.start(heavy_flow, 1)
    return run


async def test_a_run_that_stops_its_workers_ends_and_says_where(crashing: CrashingRun) -> None:
    await crashing.lose_workers(CRASH_LIMIT)
    run = await crashing.driver.execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.step == "heavy-flow/heavy:0"
    assert f"{CRASH_LIMIT} times in a row" in run.error.message and "heavy-flow/heavy:0" in run.error.message
    assert len(await crashing.driver.started("heavy-flow/heavy:0")) == CRASH_LIMIT


async def test_one_crash_less_does_not_end_it(crashing: CrashingRun) -> None:
    await crashing.lose_workers(CRASH_LIMIT - 1)
    crashing.harness.probe.gates["heavy 0"].set()
    run = await crashing.driver.execute()
    assert run.status is RunStatus.SUCCEEDED and run.setbacks == 0


async def test_a_retry_begins_the_count_anew(crashing: CrashingRun) -> None:
    await crashing.lose_workers(CRASH_LIMIT)
    await crashing.driver.execute()
    await crashing.driver.retry()
    await crashing.lose_workers(CRASH_LIMIT - 1)
    crashing.harness.probe.gates["heavy 0"].set()
    assert (await crashing.driver.execute()).status is RunStatus.SUCCEEDED


async def test_a_cancel_comes_before_giving_up(crashing: CrashingRun) -> None:
    await crashing.lose_workers(CRASH_LIMIT)
    await crashing.driver.cancel()
    assert (await crashing.driver.execute()).status is RunStatus.CANCELLED


async def test_a_run_that_no_worker_could_begin_says_what_happened_last() -> None:
    harness = MemoryHarness()
    await harness.start(heavy_flow, 1)
    for _ in range(CRASH_LIMIT):
        harness.log.put(TROUBLE)
    run = await Driver(harness).execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.step == "heavy-flow" and "could not go on with it (TypeError)" in run.error.message


async def test_many_open_steps_are_not_all_listed() -> None:
    crashing = CrashingRun()
    await crashing.driver.start(heavy_flow, 30)
    await crashing.lose_workers(CRASH_LIMIT)
    run = await crashing.driver.execute()
    assert run.error is not None and run.error.step == "heavy-flow"
    assert "and 27 more" in run.error.message and len(run.error.message) < 1000
