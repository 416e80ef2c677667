"""Steps that misbehave: that end the process, do not let themselves be interrupted, or show too much."""

from __future__ import annotations

import sys

import pytest

from app.contract.runs import RunStatus
from tests.worker.runtime.harness import Driver
from worker.runtime import component, workflow


@component
async def leave(how: str) -> None:
    if how == "exit":
        sys.exit(3)
    raise KeyboardInterrupt


@workflow("leaving")
async def leaving(how: str) -> None:
    """Ends the process from a step."""
    await leave(how)


@workflow("leaving-itself")
async def leaving_itself(how: str) -> None:
    """Ends the process from outside any step."""
    sys.exit(how)


@pytest.mark.parametrize(("how", "named"), [("exit", "SystemExit: 3"), ("interrupt", "KeyboardInterrupt")])
async def test_a_step_that_ends_the_process_fails_instead(harness: Driver, how: str, named: str) -> None:
    await harness.start(leaving, how)
    run = await harness.conduct()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.step == "leaving/leave" and named in run.error.message
    assert [step.path for step in run.failed_steps] == ["leaving/leave"]


async def test_a_workflow_that_ends_the_process_fails_instead(harness: Driver) -> None:
    await harness.start(leaving_itself, "bye")
    run = await harness.conduct()
    assert run.status is RunStatus.FAILED and run.error is not None
    assert run.error.kind == "ExitInside" and "SystemExit: bye" in run.error.message
