"""Decisions on retrying a step inside which another failed: the same at once and after a crash, when only the log holds
the error."""

from __future__ import annotations

from typing import Any

import pytest

from app.contract.events import StepFailed as StepFailedEvent
from app.contract.events import decode_event, encode_event
from app.contract.payloads import ErrorData, StepError
from app.contract.status import RunStatus
from tests.worker.runtime.harness import Driver, Probe
from worker.runtime import TRANSIENT, Retry, StepFailed, component, exponential, resource, workflow
from worker.runtime.errors import WorkflowError, describe_error


class Crowded(Exception):
    transient = True


class Misused(ConnectionError):
    transient = False


@component
async def inner() -> str:
    resource(Probe).hit("inner")
    return "done"


@component
async def outer() -> str:
    return await inner()


@workflow("deciding")
async def deciding(number: int) -> str:
    return await outer.retry(Retry(2, exponential(0.0), on=resource(Probe).values["on"]))()


def says_again(error: BaseException) -> bool:
    return "again" in str(error)


CASES: list[tuple[Any, BaseException, bool]] = [
    (TRANSIENT, Crowded("x"), True),
    (TRANSIENT, Misused("x"), False),
    (TRANSIENT, ConnectionResetError("x"), True),
    (TRANSIENT, ValueError("x"), False),
    (says_again, ValueError("once again"), True),
    (says_again, Crowded("x"), False),
    (Crowded, Crowded("x"), True),
    (Crowded, ValueError("x"), False),
    (OSError, Misused("x"), True),
    ((KeyError, OSError), Misused("x"), True),
    ((KeyError, OSError), Crowded("x"), False),
    (Exception, ValueError("x"), True),
    (StepFailed, ValueError("x"), True),
    (WorkflowError, ValueError("x"), True),
    (ValueError, ExceptionGroup("several", [ValueError("x"), KeyError("y")]), True),
    (TRANSIENT, ExceptionGroup("several", [ValueError("x"), Crowded("y")]), False),
]


@pytest.mark.parametrize(("on", "error", "again"), CASES)
async def test_it_is_decided_alike_before_and_after_a_crash(
    harness: Driver, on: Any, error: BaseException, again: bool
) -> None:
    harness.probe.values["on"] = on
    harness.probe.fail["inner"] = [error]
    await harness.start(deciding, 1)
    expected = RunStatus.SUCCEEDED if again else RunStatus.FAILED
    assert (await harness.execute()).status is expected
    after_crash = await harness.fork((await harness.kinds()).index("step.failed") + 1)
    after_crash.probe.values["on"] = on
    assert (await after_crash.execute()).status is expected
    assert after_crash.probe.calls == ["inner"] * again


@pytest.mark.parametrize("on", [TRANSIENT, OSError, KeyError])
def test_of_an_entry_that_does_not_say_another_attempt_is_the_safe_side(on: Any) -> None:
    old = '{"type":"step.failed","step":"w/s","attempt":1,"data":{"error":{"kind":"SSLError","message":"m"}}}'
    event = decode_event("1-0", old)
    assert isinstance(event, StepFailedEvent)
    assert Retry(on=on).applies_to(StepFailed(event.data.error))
    assert '{"kind":"SSLError","message":"m","step":""}' in encode_event(event), "it goes on as it came"


def test_an_error_of_a_class_that_this_process_has_not_loaded_is_known_by_what_it_is_built_on() -> None:
    error = describe_error(type("Unloaded", (BrokenPipeError,), {})("m"), "w/s")
    kept = decode_event("1-0", encode_event(StepFailedEvent(step="w/s", data=StepError(error=error))))
    assert isinstance(kept, StepFailedEvent)
    remembered = StepFailed(ErrorData.model_validate(kept.data.error.model_dump()))
    assert [Retry(on=on).applies_to(remembered) for on in (OSError, KeyError)] == [True, False]
    assert TRANSIENT(remembered)
