"""Steps that misbehave: they end the process, swallow their cancellation, or show too much."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from worker.runtime import ask, component, gather, publish, resource, say, stream, workflow
from worker.runtime.values import RESULT_LIMIT


@component
async def leave(how: str) -> None:
    if how == "exit":
        sys.exit(3)
    raise KeyboardInterrupt


@workflow("leaving")
async def leaving(how: str) -> None:
    """End the process from a step."""
    await leave(how)


@workflow("leaving-itself")
async def leaving_itself(how: str) -> None:
    """End the process from outside any step."""
    sys.exit(how)


@pytest.mark.parametrize(("how", "named"), [("exit", "SystemExit: 3"), ("interrupt", "KeyboardInterrupt")])
async def test_a_step_that_ends_the_process_fails_instead(harness: Driver, how: str, named: str) -> None:
    await harness.start(leaving, how)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.step == "leaving/leave" and named in run.error.message
    assert [step.path for step in run.failed_steps] == ["leaving/leave"]


async def test_a_workflow_that_ends_the_process_fails_instead(harness: Driver) -> None:
    await harness.start(leaving_itself, "bye")
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.kind == "ExitInside" and "SystemExit: bye" in run.error.message


@component
async def resist(name: str) -> None:
    """Swallow every cancellation until the gate opens."""
    probe = resource(Probe)
    probe.hit(name)
    while not probe.gates[name].is_set():
        try:
            await probe.hold(name)
        except asyncio.CancelledError:
            probe.hit(f"{name} resists")
    try:
        say("too late")
    finally:
        probe.hit(f"{name} ends")


@workflow("resisting")
async def resisting(_: str) -> None:
    """Run steps side by side that swallow their cancellation."""
    await gather(resist.key("a")("a"), resist.key("b")("b"))


@pytest.mark.parametrize("how", ["abort", "cancel"])
async def test_a_step_that_resists_keeps_nobody_waiting_and_writes_nothing_more(harness: Driver, how: str) -> None:
    await harness.start(resisting, "")
    executor, task = await harness.begin()
    for name in ("a", "b"):
        await harness.probe.reached[name].wait()
    if how == "abort":
        executor.abort()
    else:
        await harness.cancel()
    assert await task == ("queued" if how == "abort" else "ended")
    assert "a resists" in harness.probe.calls and "a ends" not in harness.probe.calls
    events = await harness.events()
    assert events[-1].type == ("run.handed_over" if how == "abort" else "run.cancelled")

    for name in ("a", "b"):
        harness.probe.gates[name].set()
        await harness.probe.reached[f"{name} ends"].wait()
    assert await harness.events() == events


@component
async def show(how: str, size: int) -> None:
    value: Any = "é" * size if size else object()
    if how == "publish":
        publish("picture", value)
    elif how == "ask":
        await ask("picture", value, str)
    else:
        stream(value)


@workflow("showing")
async def showing(case: tuple[str, int]) -> None:
    """Show so many letters, or an object that has no JSON form."""
    await show(*case)


@pytest.mark.parametrize("how", ["publish", "ask"])
@pytest.mark.parametrize(("size", "advice"), [(RESULT_LIMIT // 2 + 1, "at most 262,144"), (0, "no JSON form")])
async def test_what_is_too_large_to_show_fails_its_step(harness: Driver, how: str, size: int, advice: str) -> None:
    await harness.start(showing, (how, size))
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.kind == "NotShowable" and run.error.step == "showing/show"
    assert "showing/show" in run.error.message and advice in run.error.message


@pytest.mark.parametrize("how", ["publish", "ask"])
async def test_what_just_fits_is_shown(harness: Driver, how: str) -> None:
    await harness.start(showing, (how, RESULT_LIMIT // 2 - 1))
    run = await harness.execute()
    assert run.status is (RunStatus.WAITING if how == "ask" else RunStatus.SUCCEEDED)


async def test_long_text_comes_in_pieces_and_whole(harness: Driver) -> None:
    await harness.start(showing, ("stream", 2 * RESULT_LIMIT))
    run = await harness.execute()
    attempt = run.steps["showing/show"].latest
    assert attempt is not None and attempt.text == "é" * 2 * RESULT_LIMIT
    pieces = await harness.events("step.output")
    assert max(len(piece.model_dump_json().encode()) for piece in pieces) < RESULT_LIMIT
