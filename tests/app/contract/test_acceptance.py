"""Acceptance of retries: a retry of what is under way already has no effect."""

from __future__ import annotations

from typing import Any

import pytest

from app.contract import events as e
from app.contract import payloads as p
from app.contract.acceptance import UNDER_WAY
from app.contract.run import Run, fold
from app.contract.status import RunStatus, StepStatus

ENDS: list[e.Event] = [
    e.RunSucceeded(data=p.Result()),
    e.RunIncomplete(data=p.Incomplete(failed=["w/a"])),
    e.RunFailed(data=p.ErrorData(kind="k", message="m")),
    e.RunCancelled(),
]


def _run(*events: e.Event) -> Run:
    return fold("run", [event.model_copy(update={"id": f"{n}-0"}) for n, event in enumerate(events, 1)])


def _started(step: str, attempt: int = 1, generation: str = "") -> e.StepStarted:
    return e.StepStarted(step=step, attempt=attempt, data=p.StepBegun(component="c", generation=generation))


def _failed(step: str, attempt: int = 1) -> e.StepFailed:
    return e.StepFailed(step=step, attempt=attempt, data=p.StepError(error=p.ErrorData(kind="k", message="m")))


def _done(step: str, attempt: int = 1, generation: str = "") -> e.StepSucceeded:
    return e.StepSucceeded(step=step, attempt=attempt, data=p.StepDone(generation=generation))


def _retry(*steps: str, guidance: str = "") -> e.CommandRetry:
    return e.CommandRetry(data=p.RetryData(steps=list(steps), guidance=guidance))


INCOMPLETE: list[e.Event] = [
    _started("w"), _started("w/a"), _started("w/b"), _failed("w/a"), _failed("w/b"), _done("w"), ENDS[1],
]  # fmt: skip
"""Seven events: the first command that follows stands at 8-0."""


@pytest.mark.parametrize("steps", [["w/a"], ["w"], ["w/a", "w"]])
def test_a_second_retry_of_a_step_that_is_about_to_run_is_refused(steps: list[str]) -> None:
    run = _run(*INCOMPLETE, _retry(*steps, guidance="first"), _retry(*steps, guidance="second"))
    assert run.objections == {"9-0": UNDER_WAY}
    assert {run.steps[path].generation for path in steps} == {"8-0"}
    assert run.steps[steps[0]].guidance == "first"


def test_a_retry_of_a_running_step_is_refused() -> None:
    run = _run(_started("w"), _started("w/a"), _retry("w/a"))
    assert run.objections == {"3-0": UNDER_WAY} and run.steps["w/a"].generation == ""


def test_a_retry_of_several_steps_leaves_those_under_way_alone() -> None:
    run = _run(*INCOMPLETE, _retry("w/a", guidance="first"), _retry("w/a", "w/b", guidance="second"))
    assert run.objections == {}
    assert [run.steps[path].generation for path in ("w/a", "w/b", "w")] == ["8-0", "9-0", "9-0"]
    assert [run.steps[path].guidance for path in ("w/a", "w/b")] == ["first", "second"]
    third = _run(*INCOMPLETE, _retry("w/a"), _retry("w/a", "w/b"), _retry("w/b", "w/a"))
    assert third.objections == {"10-0": UNDER_WAY}


def test_a_retry_of_a_step_covers_the_steps_inside_it() -> None:
    run = _run(*INCOMPLETE, _retry("w/a", "w"))
    assert {step.generation for step in run.steps.values()} == {"8-0"}


def test_a_retry_without_steps_is_refused_where_nothing_failed() -> None:
    again = _run(*INCOMPLETE, _retry(), _retry())
    assert again.objections == {"9-0": UNDER_WAY}
    succeeded = _run(_started("w"), _done("w"), ENDS[0], _retry())
    assert succeeded.objections == {"4-0": "Nothing failed in this run."}
    running = _run(_started("w"), _retry())
    assert running.objections == {"2-0": "Nothing failed in this run."}


@pytest.mark.parametrize("end", ENDS[2:])
def test_a_run_that_failed_outside_its_steps_or_was_stopped_is_retried_once(end: e.Event) -> None:
    run = _run(_started("w"), end, _retry(), _retry())
    assert run.objections == {"4-0": UNDER_WAY} and run.status is RunStatus.QUEUED


def test_a_retry_after_a_cancel_takes_the_cancel_back() -> None:
    run = _run(*INCOMPLETE, _retry("w/a"), e.CommandCancel(), _retry("w/a"), e.CommandCancel(), _retry("w/a"))
    assert run.objections == {} and run.steps["w/a"].generation == "12-0"
    running = _run(_started("w"), _started("w/a"), e.CommandCancel(), _retry("w/a"))
    assert running.objections == {} and running.steps["w/a"].generation == "4-0"


def test_after_a_retry_has_run_the_next_one_counts() -> None:
    applied = e.CommandApplied(data=p.Applied(command="8-0"))
    again: list[e.Event] = [
        _started("w", 2, "8-0"),
        _started("w/a", 2, "8-0"),
        _failed("w/a", 2),
        _done("w", 2),
        ENDS[1],
    ]
    run = _run(*INCOMPLETE, _retry("w/a"), applied, *again, _retry("w/a"))
    assert run.objections == {} and run.steps["w/a"].generation == "15-0"


@pytest.mark.parametrize("end", ENDS)
def test_a_step_that_was_never_begun_is_under_way_when_a_retry_waits_for_it(end: e.Event) -> None:
    damaged: Any = e.StepMessage(step="w/a", attempt=1, data=p.Message(text="its beginning cannot be read"))
    run = _run(_started("w"), damaged, end, _retry("w/a"), _retry("w/a"))
    assert run.steps["w/a"].latest is None and run.objections == {"5-0": UNDER_WAY}


def test_the_last_success_counts_where_an_earlier_version_executed_each_of_two_retries() -> None:
    """Earlier versions executed a step once more for each retry."""
    judged = [e.CommandApplied(data=p.Applied(command=cursor)) for cursor in ("8-0", "9-0")]
    again: list[e.Event] = [
        _started("w", 2, "9-0"),
        _started("w/a", 2, "9-0"),
        _done("w/a", 2, "9-0"),
        _done("w", 2, "9-0"),
    ]
    run = _run(*INCOMPLETE, _retry("w/a"), _retry("w/a"), *judged, *again, ENDS[1])
    assert [run.steps[path].generation for path in ("w", "w/a")] == ["9-0", "9-0"]
    assert run.steps["w/a"].status is StepStatus.SUCCEEDED and not run.pending and not run.objections


def test_a_success_from_before_a_retry_does_not_undo_the_retry() -> None:
    run = _run(_started("w"), _started("w/a"), _done("w/a"), _retry("w/a"), _done("w/a"))
    assert run.steps["w/a"].generation == "4-0"
