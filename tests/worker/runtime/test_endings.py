"""Draining, aborting, losing the lease; and what branches do when one of them fails."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from app.contract.errors import StaleEpoch
from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from tests.worker.runtime.rich import SOON
from worker.runtime import Failed, Retry, ask, component, exponential, gather, resource, say, stream, workflow


@component(retry=SOON)
async def held(name: str) -> str:
    probe = resource(Probe)
    probe.hit(name)
    await probe.hold(name)
    return name


@component
async def quick(name: str) -> str:
    resource(Probe).hit(name)
    return name


@workflow("limited")
async def limited(limit: int) -> list[str]:
    return await gather(*(held.key(str(n))(f"held {n}") for n in range(4)), limit=limit or None)


@pytest.mark.parametrize("limit", [1, 2, 0])
async def test_a_drain_lets_running_steps_finish_and_begins_no_other(harness: Driver, limit: int) -> None:
    await harness.start(limited, limit)
    executor, task = await harness.begin()
    running = limit or 4
    for number in range(running):
        await harness.probe.reached[f"held {number}"].wait()
    executor.drain()
    for number in range(4):
        harness.probe.gates[f"held {number}"].set()
    assert await task == ("queued" if limit else "ended")
    run = await harness.run()
    assert len(harness.probe.calls) == running
    if limit:
        assert run.status is RunStatus.QUEUED
        run = await harness.execute()
    assert run.output == [f"held {n}" for n in range(4)] and len(harness.probe.calls) == 4


async def test_the_limit_is_kept(harness: Driver) -> None:
    await harness.start(limited, 2)
    _, task = await harness.begin()
    await harness.probe.reached["held 1"].wait()
    assert harness.probe.calls == ["held 0", "held 1"]
    harness.probe.gates["held 1"].set()
    await harness.probe.reached["held 2"].wait()
    assert harness.probe.calls == ["held 0", "held 1", "held 2"]
    for number in range(4):
        harness.probe.gates[f"held {number}"].set()
    await task


async def test_an_abort_interrupts_and_uses_up_nothing(harness: Driver) -> None:
    await harness.start(limited, 0)
    for _ in range(5):
        harness.probe.reached.clear()
        executor, task = await harness.begin()
        await harness.probe.reached["held 3"].wait()
        executor.abort()
        assert await task == "queued"
    for number in range(4):
        harness.probe.gates[f"held {number}"].set()
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED and run.steps["limited/held:0"].failures == 0


@pytest.mark.parametrize("how", ["drain", "abort"])
async def test_a_worker_that_leaves_before_it_began_hands_over_at_once(harness: Driver, how: str) -> None:
    await harness.start(limited, 0)
    executor = await harness.harness.take()
    getattr(executor, how)()
    assert await executor.execute() == "queued"
    assert await harness.kinds() == ["run.submitted", "run.handed_over"]


@component(retry=Retry(3, lambda failure: 3600, on=ConnectionError))
async def waits_long(name: str) -> str:
    resource(Probe).hit(name)
    return name


@workflow("long-pause")
async def long_pause(number: int) -> list[str]:
    return await gather(waits_long("pausing"), quick("beside"), limit=2)


async def test_a_drain_interrupts_a_pause_between_attempts(harness: Driver) -> None:
    harness.probe.fail["pausing"] = [ConnectionError("later")]
    await harness.start(long_pause, 1)
    executor, task = await harness.begin()
    await harness.probe.reached["beside"].wait()
    executor.drain()
    assert await task == "queued"
    executor, task = await harness.begin()  # what is left of the pause is sat out by the next worker
    await harness.saw("step.started", "long-pause", 2)
    for _ in range(100):  # more than anything that does not wait needs
        await asyncio.sleep(0)
    executor.drain()
    assert await task == "queued" and harness.probe.calls.count("pausing") == 1


@workflow("ask-in-limit")
async def ask_in_limit(number: int) -> list[str]:
    return await gather(ask("q", "?", str), quick("one"), quick.key("2")("two"), limit=1)


async def test_a_blocked_branch_in_a_limited_gather_does_not_hang(harness: Driver) -> None:
    await harness.start(ask_in_limit, 1)
    assert (await harness.execute()).status is RunStatus.WAITING
    await harness.answer("q", "yes")
    assert (await harness.execute()).output == ["yes", "one", "two"]


@component
async def stubborn(name: str) -> str:
    try:
        await resource(Probe).hold(name)
    except asyncio.CancelledError:
        say("cleaning up")
        await asyncio.sleep(0)
        resource(Probe).hit("cleaned up")
        raise RuntimeError("of all times") from None
    return name


@component
async def fails_at_gate(name: str) -> str:
    await resource(Probe).hold(name)
    raise ValueError("the branch failed")


@workflow("one-fails")
async def one_fails(number: int) -> list[str]:
    try:
        return await gather(stubborn("stubborn"), fails_at_gate("fails"))
    finally:
        resource(Probe).hit("gathered")


async def test_a_failing_branch_cancels_and_awaits_the_others(harness: Driver) -> None:
    harness.probe.gates["fails"].set()
    await harness.start(one_fails, 1)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None and run.error.message == "the branch failed"
    assert harness.probe.calls == ["cleaned up", "gathered"]
    failed = [event.step for event in await harness.events("step.failed")]
    assert failed == ["one-fails/fails-at-gate", "one-fails"], "being cancelled is no failure"
    assert (await harness.kinds())[-1] == "run.failed"


@component
async def slow_to_leave(name: str) -> str:
    try:
        await resource(Probe).hold("never")
    finally:
        await resource(Probe).hold("leaving")
        say("left")
    return name


@workflow("leaving")
async def leaving(number: int) -> list[str]:
    return await gather(slow_to_leave("slow"), fails_at_gate("fails"))


async def test_branches_are_awaited_also_when_the_run_is_interrupted_meanwhile(harness: Driver) -> None:
    harness.probe.gates["fails"].set()
    await harness.start(leaving, 1)
    executor, task = await harness.begin()
    await harness.probe.reached["leaving"].wait()
    executor.abort()
    for _ in range(100):  # more than anything that does not wait needs
        await asyncio.sleep(0)
    assert not task.done()
    harness.probe.gates["leaving"].set()
    assert await task == "queued"
    assert (await harness.kinds())[-2:] == ["step.message", "run.handed_over"], "it left before the branch did"


@component(retry=SOON)
async def swallows(name: str) -> str:
    probe = resource(Probe)
    await probe.hold("taken")
    for _ in range(3):
        try:
            say("still here")
        except Exception:
            probe.hit("swallowed")
    return name


@component
async def substitute(name: str) -> str:
    return "substitute"


@workflow("swallowing")
async def swallowing(which: str) -> list[str]:
    call: Any = {
        "settled": swallows.settled(),
        "retry": swallows.retry(Retry(5, exponential(0.0), on=Exception)),
        "fallback": swallows.fallback(substitute),
    }[which]
    outcome = await call("x")
    return [outcome.error.kind if isinstance(outcome, Failed) else str(outcome)]


@pytest.mark.parametrize("which", ["settled", "retry", "fallback"])
async def test_a_stale_epoch_writes_nothing_more_and_ends_the_execution(harness: Driver, which: str) -> None:
    await harness.start(swallowing, which)
    _, task = await harness.begin()
    await harness.probe.reached["taken"].wait()
    await harness.harness.take()
    before = await harness.events()
    harness.probe.gates["taken"].set()
    with pytest.raises(StaleEpoch):
        await task
    assert await harness.events() == before


async def test_a_stale_epoch_is_noticed_while_its_steps_write_nothing(harness: Driver) -> None:
    await harness.start(limited, 0)
    _, task = await harness.begin()
    await harness.probe.reached["held 3"].wait()
    await harness.harness.take()
    await harness.harness.renew()
    with pytest.raises(StaleEpoch):
        await task


@component(retry=SOON)
async def writes(pieces: Sequence[str]) -> int:
    probe = resource(Probe)
    for number, piece in enumerate(pieces):
        stream(piece)
        if number % 3 == 0:
            await asyncio.sleep(0)
    probe.hit("written")
    return len(pieces)


@workflow("writing")
async def writing(number: int) -> int:
    return await writes([f"piece {n} " for n in range(number)])


async def test_pieces_of_text_concatenate_exactly_and_a_later_attempt_retracts(harness: Driver) -> None:
    harness.probe.fail["written"] = [ConnectionError("cut")]
    await harness.start(writing, 200)
    run = await harness.execute()
    whole = "".join(f"piece {n} " for n in range(200))
    for attempt in (1, 2):
        pieces = [e.data for e in await harness.events("step.output") if e.attempt == attempt]
        assert "".join(piece.text for piece in pieces) == whole
        assert [p.offset for p in pieces] == [sum(len(q.text) for q in pieces[:i]) for i in range(len(pieces))]
        assert len(pieces) < 50, "what is written at once goes out together"
    step = run.steps["writing/writes"]
    assert step.counting is step.attempts[1] and step.counting.text == whole


@workflow("leaves-task")
async def leaves_task(number: int) -> int:
    async def later() -> None:
        await resource(Probe).hold("later")
        say("too late")

    resource(Probe).values["task"] = asyncio.create_task(later())
    return number


async def test_nothing_is_written_after_the_end(harness: Driver) -> None:
    await harness.start(leaves_task, 1)
    await harness.execute()
    before = await harness.events()
    harness.probe.gates["later"].set()
    outcome = await asyncio.gather(harness.probe.values["task"], return_exceptions=True)
    assert isinstance(outcome[0], Exception) and await harness.events() == before
