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


async def remember(call: StepCall, adapter: TypeAdapter[Any], attempt: Invocation) -> Any:
    """Give what is remembered of this step, or execute it and remember the outcome.

    A failed rewrite loses nothing: after a retry, an earlier success of the same inputs stands until a new one exists.
    Raises `StepFailed`, whether the step fails now or is remembered to have failed.
    """
    if success := call.remembered_success():
        try:
            value = decode_result(adapter, success.result, call.path)
        except ResultUnreadable:
            call.miss = "the remembered result does not fit the type any more"
        else:
            return _recall(call, success, StepStatus.SUCCEEDED, value)
    if (failure := call.remembered_failure()) and failure.error:
        _recall(call, failure, StepStatus.FAILED)
        return _stand_in(call, adapter, failure.error)
    return await _execute(call, adapter, attempt)


def _recall(call: StepCall, outcome: Remembered, status: StepStatus, value: Any = None) -> Any:
    call.execution.recalled.add(call.path)
    if call.known and call.known.status is not status:
        call.bring_back(outcome)
    return value


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
            call.execution.recalled.add(call.path)
        return _stand_in(call, adapter, data, error)
    await call.succeed(result)
    return value


def _can_stand(call: StepCall, adapter: TypeAdapter[Any]) -> bool:
    before = call.standing_success()
    if before is None:
        return False
    try:
        decode_result(adapter, before.result, call.path)
    except ResultUnreadable:
        return False
    return True


def _stand_in(call: StepCall, adapter: TypeAdapter[Any], failure: ErrorData, error: Exception | None = None) -> Any:
    before = call.standing_success()
    if before is not None and _can_stand(call, adapter):
        return decode_result(adapter, before.result, call.path)
    raise StepFailed(failure) from error
