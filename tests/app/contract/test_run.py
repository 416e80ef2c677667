"""The fold: any events in any order give a state; the usual ones give the right one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract import events as e
from app.contract import payloads as p
from app.contract.attempt import MOST_LOST
from app.contract.codec import decode_event, encode_event
from app.contract.run import Run, fold
from app.contract.status import RunStatus, StepStatus
from app.contract.step_paths import is_below

PATHS = ["", "w", "w/a", "w/a/b", "w/a:x", "w/c", "/", "w/"]
CURSORS = [f"{number}-0" for number in range(1, 12)]


def any_events() -> st.SearchStrategy[e.Event]:
    small = st.integers(-2, 4)
    text = st.text(max_size=4)
    ask = st.builds(p.Ask, ask=text, name=text, step=st.sampled_from(PATHS))
    error = st.builds(p.ErrorData, kind=text, message=text)
    command = st.sampled_from(CURSORS)
    data: dict[Any, st.SearchStrategy[Any] | None] = {
        e.RunSubmitted: st.builds(p.Submitted, workflow=st.just("w"), title=text),
        e.RunStarted: st.builds(p.Started, workflow=text, version=text, number=small),
        e.RunWaiting: st.builds(p.WaitingData, asks=st.lists(ask, max_size=2)),
        e.RunHandedOver: st.builds(p.HandedOver),
        e.RunRecovered: st.builds(p.Recovered),
        e.RunSucceeded: st.builds(p.Result),
        e.RunIncomplete: st.builds(p.Incomplete),
        e.RunFailed: error,
        e.RunCancelled: None,
        e.StepStarted: st.builds(p.StepBegun, component=text, fingerprint=text),
        e.StepMessage: st.builds(p.Message, text=text),
        e.StepProgress: st.builds(p.Progress, done=small, total=small),
        e.StepOutput: st.builds(p.Output, offset=st.one_of(small, st.integers(-(10**12), 10**12)), text=text),
        e.StepRetrying: st.builds(p.Retrying, error=error),
        e.StepSucceeded: st.builds(p.StepDone, fingerprint=text),
        e.StepFailed: st.builds(p.StepError, error=error, stands=st.booleans()),
        e.StepSkipped: st.builds(p.Skipped),
        e.ModelCalled: st.builds(p.Called, model=text),
        e.ObjectPublished: st.builds(p.Published, name=text),
        e.CommandCancel: None,
        e.CommandRetry: st.builds(p.RetryData, steps=st.lists(st.sampled_from(PATHS), max_size=2)),
        e.CommandAnswer: st.builds(p.AnswerData, ask=text, name=text),
        e.CommandApplied: st.builds(p.Applied, command=command),
        e.CommandRefused: st.builds(p.Refused, command=command, reason=text),
    }

    def build(kind: Any, payload: st.SearchStrategy[Any] | None) -> st.SearchStrategy[Any]:
        fields: dict[str, Any] = {"id": command, "step": st.sampled_from(PATHS), "attempt": small, "epoch": small}
        return st.builds(kind, **fields, **({"data": payload} if payload is not None else {}))

    damaged = st.builds(decode_event, command, st.one_of(text, st.binary(max_size=8)))
    return st.one_of([damaged, *(build(kind, payload) for kind, payload in data.items())])


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_events(), max_size=25))
def test_events_in_any_order_give_a_state(events: list[e.Event]) -> None:
    run = fold("run", events)
    for step in run.steps.values():
        assert isinstance(step.label, str) and step.tokens >= 0 and step.cost >= 0
        assert step.ended_at is None or step.status not in {StepStatus.RUNNING, StepStatus.RETRYING}
        for attempt in step.attempts:
            assert len(attempt.text) == attempt.length
            assert [mark[0] for mark in attempt.marks] == sorted(mark[0] for mark in attempt.marks)
    for path in filter(None, run.steps):
        assert run.below(path) == [step for step in run.steps.values() if is_below(step.path, path)]
    assert run.unreadable == [event for event in events if isinstance(event, e.Unreadable)]
    assert run.failed_steps is not None and run.pending is not None and not (run.ended and run.ending is None)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(any_events(), max_size=12))
def test_a_damaged_entry_changes_nothing_else(events: list[e.Event]) -> None:
    readable = [event for event in events if not isinstance(event, e.Unreadable)]
    whole, clean = fold("run", events), fold("run", readable)
    assert (whole.status, whole.output, list(whole.steps), whole.handled) == (
        clean.status,
        clean.output,
        list(clean.steps),
        clean.handled,
    )


def _run(*events: e.Event) -> Run:
    return fold("run", [event.model_copy(update={"id": f"{n}-0"}) for n, event in enumerate(events, 1)])


def _started(attempt: int = 1, step: str = "w/a", fingerprint: str = "f") -> e.StepStarted:
    return e.StepStarted(step=step, attempt=attempt, data=p.StepBegun(component="a", fingerprint=fingerprint))


def _wrote(offset: int, text: str, attempt: int = 1) -> e.StepOutput:
    return e.StepOutput(step="w/a", attempt=attempt, data=p.Output(offset=offset, text=text))


def test_a_repeated_piece_of_text_changes_nothing() -> None:
    run = _run(_started(), _wrote(0, "one "), _wrote(4, "two"), _wrote(4, "two"), _wrote(0, "one "), _wrote(4, "two"))
    attempt = run.steps["w/a"].latest
    assert attempt is not None and attempt.text == "one two"
    assert attempt.marks == [(4, "5-0"), (7, "6-0")]


def test_an_unreadable_piece_of_text_leaves_a_gap_of_its_length() -> None:
    run = _run(_started(), _wrote(0, "one "), _wrote(8, "three"), _wrote(13, "!"))
    attempt = run.steps["w/a"].latest
    assert attempt is not None and attempt.text == "one " + "\ufffd" * 4 + "three!"


def test_an_implausible_gap_is_shortened() -> None:
    attempt = _run(_started(), _wrote(10**15, "x")).steps["w/a"].latest
    assert attempt is not None and attempt.length == MOST_LOST + 1


def test_a_later_attempt_retracts_the_text_of_a_failed_one_but_not_of_a_success() -> None:
    done = e.StepSucceeded(step="w/a", attempt=1, data=p.StepDone(fingerprint="f"))
    interrupted = _run(_started(), _wrote(0, "gone"), _started(2)).steps["w/a"]
    assert interrupted.counting is interrupted.attempts[1]
    rewritten = _run(_started(), _wrote(0, "stays"), done, _started(2, fingerprint="g")).steps["w/a"]
    assert rewritten.counting is not None and rewritten.counting.text == "stays"


def test_the_end_of_a_run_closes_its_open_steps() -> None:
    step = _run(_started(), e.RunCancelled()).steps["w/a"]
    assert step.status is StepStatus.SKIPPED and step.ended_at is not None


def test_a_retry_changes_the_generation_of_the_step_and_of_those_above() -> None:
    retry = e.CommandRetry(data=p.RetryData(steps=["w/a"], guidance="shorter"))
    done = e.StepSucceeded(step="w/a", attempt=1, data=p.StepDone())
    run = _run(_started(1, "w"), _started(1, "w/a"), done, _started(1, "w/b"), retry)
    assert [run.steps[path].generation for path in ("w", "w/a", "w/b")] == ["5-0", "5-0", ""]
    assert [run.steps[path].guidance for path in ("w", "w/a")] == ["", "shorter"]


def test_a_retry_of_an_unknown_step_touches_nothing() -> None:
    run = _run(_started(1, "w"), _started(1, "w/a"), e.CommandRetry(data=p.RetryData(steps=["w/a", "w/a/none"])))
    assert run.objections == {"3-0": "There is no step w/a/none."}
    assert {step.generation for step in run.steps.values()} == {""}


def test_a_command_on_an_ended_run_queues_it() -> None:
    run = _run(_started(1, "w"), e.RunFailed(data=p.ErrorData(kind="k", message="m")), e.CommandCancel())
    assert run.status is RunStatus.QUEUED and run.error is None and run.cancelling
    assert isinstance(run.ending, e.RunFailed)


RECOVERED = e.RunRecovered(data=p.Recovered(holder="w1"))
TROUBLE = e.RunHandedOver(data=p.HandedOver(reason="it could not go on", trouble=True))
DRAINED = e.RunHandedOver(data=p.HandedOver(reason="its worker is being replaced"))


STARTED = e.RunStarted(data=p.Started(workflow="w", version="1"))
FAILED = e.RunFailed(data=p.ErrorData(kind="TooManySetbacks", message="It stopped too often."))


def done(step: str) -> e.StepSucceeded:
    return e.StepSucceeded(step=step, attempt=1, data=p.StepDone())


@pytest.mark.parametrize(
    ("events", "setbacks"),
    [
        ([STARTED, RECOVERED, TROUBLE, STARTED, RECOVERED], 3),
        ([STARTED, RECOVERED, STARTED, DRAINED, STARTED, DRAINED], 1),
        ([STARTED, RECOVERED, RECOVERED, RECOVERED], 1),
        ([STARTED, RECOVERED, STARTED, done("w/a"), RECOVERED], 1),
        ([STARTED, done("w/a"), RECOVERED, STARTED, done("w/a"), RECOVERED], 2),
        ([TROUBLE, TROUBLE, FAILED, e.CommandRetry(id="9-0", data=p.RetryData()), TROUBLE], 1),
        ([TROUBLE, e.CommandCancel(id="9-0"), TROUBLE], 2),
    ],
    ids=["counted", "drained", "not begun", "a success", "the same success again", "a retry", "a cancel"],
)
def test_setbacks_are_counted_until_a_step_succeeds(events: list[e.Event], setbacks: int) -> None:
    assert fold("run", events).setbacks == setbacks


def test_hand_overs_of_earlier_builds_are_no_setbacks() -> None:
    old = decode_event("1-0", '{"type":"run.handed_over","epoch":1,"data":{"reason":"its worker is being replaced"}}')
    assert fold("run", [old]).setbacks == 0
    assert '"trouble"' not in encode_event(DRAINED)
