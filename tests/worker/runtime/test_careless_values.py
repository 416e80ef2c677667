"""Values that a careless author passes to the runtime: they work as meant, or the error says what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from worker.runtime import (
    Retry,
    Workflow,
    Workflows,
    ask,
    component,
    exponential,
    gather,
    publish,
    resource,
    workflow,
)


@component
async def echo(number: int) -> int:
    return number


@workflow("numbered")
async def numbered(count: int) -> list[int]:
    return await gather(*(echo.key(number).label(number)(number) for number in range(count)))


async def test_keys_and_labels_may_be_whole_numbers(harness: Driver) -> None:
    await harness.start(numbered, 2)
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED
    assert list(run.steps) == ["numbered", "numbered/echo:0", "numbered/echo:1"]
    assert run.steps["numbered/echo:0"].label == "0"


@pytest.mark.parametrize("value", [None, 1.5, ("a", 1), b"x"])
@pytest.mark.parametrize("method", [echo.key, echo.label])
def test_other_keys_and_labels_are_refused(method: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(TypeError, match=r"echo.*str\(…\)"):
        method(value)


def test_a_pause_has_no_failure_count_that_is_too_large() -> None:
    assert exponential(1, cap=60, jitter=False)(1025) == exponential(1, cap=60, jitter=False)(100_000) == 60


class Limited(Exception):
    def __init__(self, retry_after: Any) -> None:
        super().__init__("limited")
        self.retry_after = retry_after


@component(retry=Retry(2, exponential(0.0), on=Limited))
async def limited(number: int) -> int:
    resource(Probe).hit("limited")
    return number


@workflow("limits")
async def limits(number: int) -> int:
    return await limited(number)


@pytest.mark.parametrize(
    ("asked", "counted"),
    [("0.001", False), (" 0 ", False), (-1, False)]
    + [(bad, True) for bad in ("soon", "Wed, 21 Oct 2026 07:28:00 GMT", float("nan"), "inf", object(), [1])],
)
async def test_a_retry_after_may_be_text_and_a_bad_one_is_none(harness: Driver, asked: Any, counted: bool) -> None:
    harness.probe.fail["limited"] = [Limited(asked)]
    await harness.start(limits, 1)
    assert (await harness.execute()).status is RunStatus.SUCCEEDED
    [retrying] = await harness.events("step.retrying")
    assert retrying.data.counted is counted and retrying.data.error.message == "limited"


DAMAGED = {"half \ud83d": ["a \ud83d", {"b": ("\udc00", 1)}, None]}
MENDED = {"half ?": ["a ?", {"b": ["?", 1]}, None]}


@workflow("damaged")
async def damaged(number: int) -> str:
    publish("name \ud83d", DAMAGED)
    publish("text", "\ud83d")
    publish("keys", {("a", 1): 1, 2: "b"})
    return await ask("q", DAMAGED, str)  # type: ignore[arg-type]  # what is shown need not be what is answered


async def test_damaged_text_in_what_is_published_and_asked_is_mended(harness: Driver) -> None:
    await harness.start(damaged, 1)
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and run.asks[0].proposal == MENDED
    attempt = run.steps["damaged"].latest
    assert attempt is not None and attempt.objects == {"name ?": MENDED, "text": "?", "keys": {"a,1": 1, "2": "b"}}
    await harness.answer("q", "yes")
    assert (await harness.execute()).output == "yes"


async def no_input_type(value):  # type: ignore[no-untyped-def]
    return value


async def no_output_type(value: int):  # type: ignore[no-untyped-def]
    return value


@pytest.mark.parametrize("function", [no_input_type, no_output_type])
def test_a_workflow_without_annotations_is_refused(function: Any) -> None:
    with pytest.raises(TypeError, match=rf"{function.__name__}.*annotat"):
        workflow("untyped")(function)


def test_two_workflows_of_one_name_are_refused() -> None:
    other: Workflow = workflow("limits")(damaged.function)
    with pytest.raises(ValueError, match=r"“limits”.*another name"):
        Workflows([limits, numbered, other])
    assert list(Workflows([limits, numbered, limits])) == ["limits", "numbered"]
