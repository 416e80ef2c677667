"""Checkpoints: a remembered step is not executed again, and one that changed says why it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from app.contract.status import RunStatus, StepStatus
from tests.worker.runtime.harness import Driver, Probe
from worker.runtime import Failed, StepFailed, component, gather, resource, say, stream, workflow
from worker.runtime.values import digest


@component
async def double(number: int, note: str = "") -> int:
    probe = resource(Probe)
    probe.hit(f"double {number}")
    return number * 2


@component
async def stop() -> int:
    resource(Probe).hit("stop")
    return 0


@component
async def outer(number: int) -> int:
    doubled = await double(number)
    resource(Probe).hit("outer")
    return doubled


@workflow("chain")
async def chain(number: int) -> int:
    values = resource(Probe).values
    call = replace(double, version=values.get("version", "1"))
    found = await outer(number + values.get("more", 0))
    again = await call(number + values.get("more", 0), note=values.get("note", ""))
    await stop()
    return found + again


async def begin(harness: Driver) -> None:
    """Execute a first pass that fails in its last step."""
    harness.probe.fail["stop"] = [LastStepFailed()]
    await harness.start(chain, 3)
    _, task = await harness.begin()
    await task


class LastStepFailed(Exception):
    """Makes the run fail at its last step, so that a retry resumes it."""


async def resume(harness: Driver) -> None:
    harness.probe.calls.clear()
    await harness.retry("chain/stop")
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED


async def test_what_succeeded_is_not_executed_again(harness: Driver) -> None:
    await begin(harness)
    await resume(harness)
    assert harness.probe.calls == ["stop"]


async def test_a_changed_input_runs_again_and_says_which(harness: Driver) -> None:
    await begin(harness)
    harness.probe.values["note"] = "other"
    await resume(harness)
    assert harness.probe.calls == ["double 3", "stop"]
    assert (await harness.started("chain/double"))[-1].data.miss == "changed: note"


async def test_a_changed_input_reaches_what_depends_on_it(harness: Driver) -> None:
    await begin(harness)
    harness.probe.values["more"] = 1
    await resume(harness)
    assert harness.probe.calls == ["double 4", "outer", "double 4", "stop"]
    assert (await harness.started("chain/outer/double"))[-1].data.miss == "changed: number"


async def test_a_changed_version_runs_again(harness: Driver) -> None:
    await begin(harness)
    harness.probe.values["version"] = "2"
    await resume(harness)
    assert harness.probe.calls == ["double 3", "stop"]
    assert (await harness.started("chain/double"))[-1].data.miss == "the component is version 2 now"


async def test_inputs_that_change_back_find_the_first_success_that_is_still_remembered(harness: Driver) -> None:
    await begin(harness)
    harness.probe.values["note"] = "other"
    harness.probe.fail["double 3"] = [ValueError("not with this note")]
    await harness.retry("chain/stop")
    assert (await harness.execute()).status is RunStatus.FAILED
    del harness.probe.values["note"]
    await harness.retry("chain/stop")
    harness.probe.calls.clear()
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED and harness.probe.calls == ["stop"]
    assert run.steps["chain/double"].status is StepStatus.SUCCEEDED
    assert run.steps["chain/double"].success is run.steps["chain/double"].attempts[0]


@component
async def always_fails() -> int:
    resource(Probe).hit("always fails")
    raise ConnectionError("not today")


@workflow("guarded")
async def guarded(number: int) -> str:
    outcome = await always_fails.settled()()
    assert isinstance(outcome, Failed)
    try:
        await always_fails.key("raised")()
    except StepFailed as failed:
        raised = failed.data.kind
    await stop()
    return f"{outcome.error.message}, {raised}"


async def test_a_final_failure_is_remembered_and_raised_alike_until_a_retry_clears_it(harness: Driver) -> None:
    harness.probe.fail["stop"] = [LastStepFailed()]
    await harness.start(guarded, 1)
    await harness.execute()
    await harness.retry("guarded/stop")
    harness.probe.calls.clear()
    run = await harness.execute()
    assert run.output == "not today, ConnectionError" and run.status is RunStatus.INCOMPLETE
    assert harness.probe.calls == ["stop"]
    harness.probe.calls.clear()
    await harness.retry("guarded/always-fails")
    await harness.execute()
    assert harness.probe.calls == ["always fails"]


@workflow("branching")
async def branching(number: int) -> int:
    values = resource(Probe).values
    name = values.get("branch", "a")
    found = await double.key(name)(number)
    await stop()
    return found


async def test_steps_that_the_last_pass_does_not_visit_are_skipped_and_come_back(harness: Driver) -> None:
    await harness.start(branching, 1)
    await harness.execute()
    harness.probe.values["branch"] = "b"
    await harness.retry("branching/stop")
    run = await harness.execute()
    assert run.steps["branching/double:a"].status is StepStatus.SKIPPED
    assert run.steps["branching/double:b"].status is StepStatus.SUCCEEDED
    harness.probe.values["branch"] = "a"
    await harness.retry("branching/stop")
    harness.probe.calls.clear()
    run = await harness.execute()
    assert harness.probe.calls == ["stop"]
    assert run.steps["branching/double:a"].status is StepStatus.SUCCEEDED
    assert run.steps["branching/double:b"].status is StepStatus.SKIPPED


@component
async def takes_set(words: frozenset[str]) -> int:
    return len(words)


@workflow("sets")
async def sets(number: int) -> int:
    return await takes_set(frozenset(f"word {n}" for n in range(number)))


async def test_a_sets_digest_does_not_depend_on_its_order(harness: Driver) -> None:
    await harness.start(sets, 40)
    await harness.execute()
    (started,) = await harness.started("sets/takes-set")
    assert started.data.inputs["words"] == digest(sorted(f"word {n}" for n in range(40)))


class Base(BaseModel):
    name: str


class Special(Base):
    extra: str = "x"


@component
async def gives_tuple() -> list[int]:
    return (1, 2)  # type: ignore[return-value]  # what a caller gets is what the annotation says


@component
async def gives_subclass() -> Base:
    return Special(name="n")


@workflow("round-trips")
async def round_trips(number: int) -> list[str]:
    first, second = await gives_tuple(), await gives_subclass()
    await stop()
    return [type(first).__name__, type(second).__name__]


async def test_results_round_trip_on_the_first_call_too(harness: Driver) -> None:
    harness.probe.fail["stop"] = [LastStepFailed()]
    await harness.start(round_trips, 1)
    await harness.execute()
    await harness.retry("round-trips/stop")
    run = await harness.execute()
    assert run.output == ["list", "Base"]
    fresh = await harness.fork(1)
    assert (await fresh.execute()).output == ["list", "Base"]


@workflow("keys-that-read-alike")
async def keys_that_read_alike(number: int) -> list[int]:
    return await gather(*(double.key(key)(len(key)) for key in ("a/b", "a b", "a-b", "a//b")))


async def test_different_keys_are_different_steps_however_they_read(harness: Driver) -> None:
    await harness.start(keys_that_read_alike, 1)
    run = await harness.execute()
    assert run.output == [6, 6, 6, 8] and len(run.below("keys-that-read-alike")) == 4


@component
async def too_large() -> str:
    return "x" * 300_000


@component
async def no_json() -> object:
    return object()


@component
async def not_a_number() -> float:
    return float("nan")


@component
async def wrong_type() -> int:
    return "three"  # type: ignore[return-value]  # the error is what is tested


@component
async def takes_anything(value: object) -> int:
    return 1


@workflow("bad-values")
async def bad_values(which: str) -> int:
    match which:
        case "input":
            await takes_anything(object())
        case "duplicate":
            await stop()
            await stop()
        case "branches":
            await gather(stop(), stop())
        case _:
            kinds: dict[str, Any] = {"large": too_large, "json": no_json, "nan": not_a_number, "type": wrong_type}
            await kinds[which]()
    return 0


@pytest.mark.parametrize(
    ("which", "kind", "step", "advice"),
    [
        ("large", "ResultTooLarge", "bad-values/too-large", "Ref"),
        ("json", "ResultUnreadable", "bad-values/no-json", "plain data"),
        ("nan", "ResultUnreadable", "bad-values/not-a-number", "plain data"),
        ("type", "ResultUnreadable", "bad-values/wrong-type", "does not come back"),
        ("input", "InputUnreadable", "bad-values/takes-anything", "resource()"),
        ("duplicate", "DuplicatePath", "bad-values/stop", ".key("),
        ("branches", "DuplicatePath", "bad-values/stop", ".key("),
    ],
)
async def test_bad_values_name_the_step_and_say_what_to_do(
    harness: Driver, which: str, kind: str, step: str, advice: str
) -> None:
    await harness.start(bad_values, which)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.kind == kind and step in run.error.message and advice in run.error.message


async def test_damaged_text_is_mended_not_fatal(harness: Driver) -> None:
    await harness.start(half_characters, 1)
    run = await harness.execute()
    assert run.status is RunStatus.FAILED
    assert run.error is not None and run.error.message == "bad ?"
    assert run.steps["half-characters"].latest.text == "half ?"  # type: ignore[union-attr]


@workflow("half-characters")
async def half_characters(number: int) -> int:
    say("half \ud800")
    stream("half \ud800")
    raise ValueError("bad \ud800")
