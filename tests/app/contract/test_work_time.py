"""Work time: the passes of a run count, and none of the time in which no worker ran it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from app.contract import events as e
from app.contract import payloads as p
from app.contract.run import Run, fold
from app.contract.snapshot import dump_run, load_run

START = datetime(2026, 11, 21, 8, 0, tzinfo=UTC)
STARTED = e.RunStarted, p.Started(workflow="w", version="1")
BEGUN = e.StepStarted, p.StepBegun(component="c")
REPORTED = e.StepMessage, p.Message(text="on it")
DONE = e.RunSucceeded, p.Result(output=None)
RETRY = e.CommandRetry, p.RetryData(steps=["w"])
HOUR = 3600

Timed = tuple[float, tuple[Any, Any]]


def fold_at(*moments: Timed) -> Run:
    """Return the fold of these events at these seconds; those about a step are of the step `w`."""
    events: list[e.Event] = [e.RunSubmitted(id="1-0", at=START, data=p.Submitted(workflow="w", title="", input=None))]
    for number, (second, (kind, data)) in enumerate(moments, start=2):
        step = "w" if kind in (e.StepStarted, e.StepMessage, e.StepSucceeded) else ""
        attempt = sum(one[0] is e.StepStarted for _, one in moments[: number - 1])
        at = START + timedelta(seconds=second)
        events.append(kind(id=f"{number}-0", at=at, step=step, attempt=attempt if step else 0, data=data))
    return fold("run", events)


def test_no_queue_and_no_pause_before_a_retry_counts() -> None:
    run = fold_at((50, STARTED), (72, DONE), (HOUR, RETRY), (HOUR + 5, STARTED), (HOUR + 8, DONE))
    assert run.work.seconds == 22 + 3 and run.work.since is None
    assert run.started_at == START + timedelta(seconds=50)
    assert run.ended_at == START + timedelta(seconds=HOUR + 8)


def test_a_pass_that_goes_on_counts_up_from_what_was_worked_before() -> None:
    run = fold_at((0, STARTED), (22, DONE), (HOUR, RETRY), (HOUR + 1, STARTED))
    assert run.work.since == START + timedelta(seconds=HOUR + 1 - 22)


def test_waiting_for_a_person_counts_nothing_and_closes_no_step() -> None:
    ask = p.Ask(ask="a", name="outline", step="w")
    waits: list[Timed] = [(0, STARTED), (1, BEGUN), (4, (e.RunWaiting, p.WaitingData(asks=[ask])))]
    run = fold_at(*waits)
    attempt = run.steps["w"].attempts[0]
    assert (run.work.seconds, run.work.since) == (4, None)
    assert (attempt.left_at, attempt.lost) == (START + timedelta(seconds=4), False)
    answered = (e.CommandAnswer, p.AnswerData(ask="a", name="outline", value=1))
    run = fold_at(*waits, (HOUR, answered), (HOUR + 1, STARTED), (HOUR + 2, BEGUN), (HOUR + 3, DONE))
    first, second = run.steps["w"].attempts
    assert run.work.seconds == 4 + 2
    assert first.worked_until == START + timedelta(seconds=4) and second.left_at is None


def test_the_pass_of_a_dead_worker_ends_with_its_last_event() -> None:
    """No worker takes the run over for an hour, in which a person asks for it to stop."""
    gone: list[Timed] = [(0, STARTED), (1, BEGUN), (9, REPORTED), (HOUR, (e.CommandCancel, p.Nothing()))]
    run = fold_at(*gone, (HOUR + 1, (e.RunRecovered, p.Recovered(holder="w1"))))
    attempt = run.steps["w"].attempts[0]
    assert run.work.seconds == 9
    assert (attempt.left_at, attempt.lost) == (START + timedelta(seconds=9), True)
    assert run.steps["w"].changed == run.cursor


def test_a_pass_whose_end_was_lost_with_redis_ends_too() -> None:
    run = fold_at((0, STARTED), (1, BEGUN), (9, REPORTED), (HOUR, STARTED), (HOUR + 1, BEGUN))
    assert run.work.seconds == 9
    assert [attempt.lost for attempt in run.steps["w"].attempts] == [True, False]


def test_no_attempt_of_a_cancelled_run_counts_as_lost() -> None:
    stopped = e.RunCancelled, p.Nothing()
    run = fold_at((0, STARTED), (1, BEGUN), (9, stopped), (HOUR, RETRY), (HOUR + 1, STARTED), (HOUR + 2, BEGUN))
    assert [attempt.lost for attempt in run.steps["w"].attempts] == [False, False]


def test_a_pass_that_ends_before_it_began_counts_as_nothing() -> None:
    run = fold_at((100, STARTED), (90, DONE), (200, RETRY), (201, STARTED), (202, DONE))
    assert run.work.seconds == 1


def test_a_beginning_before_the_calendar_is_that_of_the_pass() -> None:
    passes: list[Timed] = [(0, STARTED), (10, DONE), (20, RETRY)]
    run = fold_at(*passes)
    run.apply(e.RunStarted(id="9-0", at=datetime.min.replace(tzinfo=UTC), data=STARTED[1]))
    assert run.work.since == datetime.min.replace(tzinfo=UTC)


def test_a_snapshot_preserves_the_passes() -> None:
    run = fold_at((0, STARTED), (1, BEGUN), (4, (e.RunHandedOver, p.HandedOver())), (9, STARTED), (10, BEGUN))
    assert load_run(dump_run(run)) == run
