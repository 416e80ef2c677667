"""Retries that come together, as from a double click: each step is retried once."""

from __future__ import annotations

import asyncio

from app.contract.acceptance import UNDER_WAY
from app.contract.cursors import parse_cursor
from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from worker.runtime import component, gather, resource, workflow


@component
async def part(name: str) -> str:
    resource(Probe).hit(name)
    await resource(Probe).hold(name) if resource(Probe).values.get("slow") == name else None
    return name


@workflow("parts")
async def parts(number: int) -> str:
    results = await gather(*(part.key(name).settled()(name) for name in ("a", "b")))
    return "+".join(result.value if result.ok else "-" for result in results)


async def end_with_both_failed(harness: Driver) -> None:
    harness.probe.fail.update({"a": [ValueError("broken")], "b": [ValueError("broken")]})
    await harness.start(parts, 1)
    assert (await harness.execute()).status is RunStatus.INCOMPLETE
    harness.probe.calls.clear()


async def test_of_many_retries_of_a_step_at_once_one_is_taken(harness: Driver) -> None:
    await end_with_both_failed(harness)
    first, *others = sorted(await asyncio.gather(*(harness.retry("parts/part:a") for _ in range(8))), key=parse_cursor)
    run = await harness.execute()
    assert harness.probe.calls == ["a"] and run.output == "a+-"
    assert run.refused == dict.fromkeys(others, UNDER_WAY)
    assert [fact.data.command for fact in await harness.events("command.applied")] == [first]


async def test_a_retry_that_comes_while_the_step_runs_is_refused(harness: Driver) -> None:
    await end_with_both_failed(harness)
    harness.probe.values["slow"] = "a"
    await harness.retry("parts/part:a")
    _, task = await harness.begin()
    await harness.probe.reached["a"].wait()
    late = [await harness.retry("parts/part:a"), await harness.retry()]
    harness.probe.gates["a"].set()
    assert await task == "ended"
    run = await harness.run()
    assert harness.probe.calls == ["a", "b"], "what had failed and was not under way is tried again"
    assert run.refused == {late[0]: UNDER_WAY} and run.output == "a+b"


async def test_retries_that_name_several_steps_do_each_of_them_once(harness: Driver) -> None:
    await end_with_both_failed(harness)
    named = [("parts/part:a",), ("parts/part:a", "parts/part:b"), ("parts/part:b",), ()]
    cursors = [await harness.retry(*steps) for steps in named]
    run = await harness.execute()
    assert sorted(harness.probe.calls) == ["a", "b"] and run.status is RunStatus.SUCCEEDED
    assert run.refused == dict.fromkeys(cursors[2:], UNDER_WAY)


async def test_a_retry_without_steps_of_a_run_in_which_nothing_failed_is_refused(harness: Driver) -> None:
    await harness.start(parts, 1)
    before = await harness.execute()
    cursor = await harness.retry()
    run = await harness.execute()
    assert run.refused == {cursor: "Nothing failed in this run."}
    assert (run.status, run.output, harness.probe.calls) == (before.status, before.output, ["a", "b"])
