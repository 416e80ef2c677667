"""Checkpoint: a step that succeeded, or finally failed, is not executed again while its identity is the same."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from app.contract.payloads import ErrorData
from app.contract.status import StepStatus
from app.contract.step import Remembered
from worker.runtime.call import Invocation, StepCall
from worker.runtime.errors import ResultUnreadable, StepFailed, describe_error, mark_source
from worker.runtime.values import decode_result, encode_result


async def use_checkpoint(call: StepCall, adapter: TypeAdapter[Any], attempt: Invocation) -> Any:
    """Return the outcome that the log remembers of this step, or execute it and have its outcome remembered.

    A failed rewrite loses nothing: after a retry, an earlier success of the same inputs stands until a new one exists.
    Raise `StepFailed`, whether the step fails now or is remembered to have failed.
    """
    if success := _find_success(call):
        try:
            value = decode_result(adapter, success.result, call.path)
        except ResultUnreadable:
            call.miss = "the remembered result does not fit the type any more"
        else:
            _use_outcome(call, success, StepStatus.SUCCEEDED)
            return value
    failure = call.step.failed if call.step else None
    if failure and failure.error and failure.fingerprint == call.fingerprint:
        _use_outcome(call, failure, StepStatus.FAILED)
        return _return_standing(call, adapter, failure.error)
    return await _execute(call, adapter, attempt)


def _find_success(call: StepCall) -> Remembered | None:
    """Return the step's last success if its identity is the same; else set `miss` to the reason why it is not."""
    step = call.step
    if step and step.succeeded and step.succeeded.fingerprint == call.fingerprint:
        return step.succeeded
    if step and (before := step.succeeded or step.failed):
        call.miss = call.identity.explain_miss(before)
    return None


def _use_outcome(call: StepCall, outcome: Remembered, status: StepStatus) -> None:
    call.execution.remembered.add(call.path)
    if call.step and call.step.status is not status:
        call.restore(outcome, stands=_find_standing(call) is not None)


async def _execute(call: StepCall, adapter: TypeAdapter[Any], attempt: Invocation) -> Any:
    try:
        value = await attempt()
        result = encode_result(adapter, value, call.path)
        value = decode_result(adapter, result, call.path)
    except Exception as error:  # whatever a component raises is the step's failure, and is raised on
        mark_source(error, call.path)
        data = describe_error(error, call.path)
        stands = _can_stand(call, adapter)
        await call.fail(data, stands=stands)
        if stands:
            call.execution.remembered.add(call.path)
        return _return_standing(call, adapter, data, error)
    await call.succeed(result)
    return value


def _find_standing(call: StepCall) -> Remembered | None:
    """Return the step's last success if nothing but a retry lies between it and this call."""
    success = call.step.succeeded if call.step else None
    return success if success and call.identity.matches_apart_from_retries(success) else None


def _can_stand(call: StepCall, adapter: TypeAdapter[Any]) -> bool:
    success = _find_standing(call)
    if success is None:
        return False
    try:
        decode_result(adapter, success.result, call.path)
    except ResultUnreadable:
        return False
    return True


def _return_standing(
    call: StepCall, adapter: TypeAdapter[Any], failure: ErrorData, error: Exception | None = None
) -> Any:
    """Return the value of an earlier success that stands. Raise `StepFailed` when there is none."""
    success = _find_standing(call)
    if success is not None and _can_stand(call, adapter):
        return decode_result(adapter, success.result, call.path)
    raise StepFailed(failure) from error
