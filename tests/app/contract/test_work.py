"""How long workers were at a run: what its log tells of passes, and of all the time in which nothing ran."""

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
SAID = e.StepMessage, p.Message(text="on it")
DONE = e.RunSucceeded, p.Result(output=None)
RETRY = e.CommandRetry, p.RetryData(steps=["w"])
HOUR = 3600

Said = tuple[float, tuple[Any, Any]]


def told(*moments: Said) -> Run:
    """The fold of what was said at these seconds, of the step `w` where it is about one."""
    events: list[e.Event] = [e.RunSubmitted(id="1-0", at=START, data=p.Submitted(workflow="w", title="", input=None))]
    for number, (second, (kind, data)) in enumerate(moments, start=2):
        step = "w" if kind in (e.StepStarted, e.StepMessage, e.StepSucceeded) else ""
        attempt = sum(one[0] is e.StepStarted for _, one in moments[: number - 1])
        at = START + timedelta(seconds=second)
        events.append(kind(id=f"{number}-0", at=at, step=step, attempt=attempt if step else 0, data=data))
    return fold("run", events)


def test_no_queue_and_no_pause_before_a_retry_counts() -> None:
    run = told((50, STARTED), (72, DONE), (HOUR, RETRY), (HOUR + 5, STARTED), (HOUR + 8, DONE))
    assert run.work.seconds == 22 + 3 and run.work.since is None
    assert run.started_at == START + timedelta(seconds=50)
    assert run.ended_at == START + timedelta(seconds=HOUR + 8)


def test_a_pass_that_goes_on_counts_up_from_what_was_worked_before() -> None:
    run = told((0, STARTED), (22, DONE), (HOUR, RETRY), (HOUR + 1, STARTED))
    assert run.work.since == START + timedelta(seconds=HOUR + 1 - 22)


def test_waiting_for_a_person_counts_nothing_and_its_steps_stand_still() -> None:
    ask = p.Ask(ask="a", name="outline", step="w")
    waits: list[Said] = [(0, STARTED), (1, BEGUN), (4, (e.RunWaiting, p.WaitingData(asks=[ask])))]
    run = told(*waits)
    attempt = run.steps["w"].attempts[0]
    assert (run.work.seconds, run.work.since) == (4, None)
    assert (attempt.left_at, attempt.lost) == (START + timedelta(seconds=4), False)
    answered = (e.CommandAnswer, p.AnswerData(ask="a", name="outline", value=1))
    run = told(*waits, (HOUR, answered), (HOUR + 1, STARTED), (HOUR + 2, BEGUN), (HOUR + 3, DONE))
    first, second = run.steps["w"].attempts
    assert run.work.seconds == 4 + 2
    assert first.worked_until == START + timedelta(seconds=4) and second.left_at is None


def test_the_pass_of_a_dead_worker_ends_with_its_last_word() -> None:
    """Nobody was there to take the run over for an hour, in which a person asked for it to stop."""
    gone: list[Said] = [(0, STARTED), (1, BEGUN), (9, SAID), (HOUR, (e.CommandCancel, p.Nothing()))]
    run = told(*gone, (HOUR + 1, (e.RunRecovered, p.Recovered(holder="w1"))))
    attempt = run.steps["w"].attempts[0]
    assert run.work.seconds == 9
    assert (attempt.left_at, attempt.lost) == (START + timedelta(seconds=9), True)
    assert run.steps["w"].changed == run.cursor


def test_a_pass_whose_end_was_lost_with_redis_ends_too() -> None:
    run = told((0, STARTED), (1, BEGUN), (9, SAID), (HOUR, STARTED), (HOUR + 1, BEGUN))
    assert run.work.seconds == 9
    assert [attempt.lost for attempt in run.steps["w"].attempts] == [True, False]


def test_a_stop_loses_nothing_to_another_worker() -> None:
    stopped = e.RunCancelled, p.Nothing()
    run = told((0, STARTED), (1, BEGUN), (9, stopped), (HOUR, RETRY), (HOUR + 1, STARTED), (HOUR + 2, BEGUN))
    assert [attempt.lost for attempt in run.steps["w"].attempts] == [False, False]


def test_clocks_that_disagree_take_nothing_away() -> None:
    run = told((100, STARTED), (90, DONE), (200, RETRY), (201, STARTED), (202, DONE))
    assert run.work.seconds == 1


def test_a_beginning_that_no_calendar_holds_is_that_of_the_pass() -> None:
    passes: list[Said] = [(0, STARTED), (10, DONE), (20, RETRY)]
    run = told(*passes)
    run.apply(e.RunStarted(id="9-0", at=datetime.min.replace(tzinfo=UTC), data=STARTED[1]))
    assert run.work.since == datetime.min.replace(tzinfo=UTC)


def test_a_snapshot_knows_it_all() -> None:
    run = told((0, STARTED), (1, BEGUN), (4, (e.RunHandedOver, p.HandedOver())), (9, STARTED), (10, BEGUN))
    assert load_run(dump_run(run)) == run
