"""Commands: answers, retries and cancels, at whatever moment they come."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest
from pydantic import BaseModel

from app.contract.cursors import is_after
from app.contract.errors import RunEnded
from app.contract.events import Command, Event
from app.contract.run import Run
from app.contract.status import RunStatus, StepStatus
from tests.worker.runtime.harness import Around, Driver, Probe
from worker.runtime import ask, component, gather, guidance, resource, stream, workflow
from worker.runtime.journal import Journal, Release


class Choice(BaseModel):
    size: int


@component
async def work(name: str) -> str:
    resource(Probe).hit(name)
    await resource(Probe).hold(name) if name.startswith("hold") else None
    return f"{name} {guidance()}".strip()


@component
async def ask_size(name: str) -> int:
    size = (await ask(name, Choice(size=1), Choice)).size
    await work.key(f"after-{name}")(f"after {name}")
    return size


@workflow("two-asks")
async def two_asks(number: int) -> int:
    first, second, _ = await gather(ask_size.key("a")("a"), ask_size.key("b")("b"), _count())
    return first + second


async def _count() -> int:
    await work("beside")
    return 0


async def test_it_waits_only_when_no_branch_can_move(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and [ask.name for ask in run.asks] == ["a", "b"]
    assert harness.probe.calls == ["beside"]


async def test_asks_are_answered_one_by_one(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    await harness.execute()
    await harness.answer("b", {"size": 20})
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and [ask.name for ask in run.asks] == ["a"]
    await harness.answer("a", {"size": 3})
    run = await harness.execute()
    assert run.output == 23 and sorted(harness.probe.calls) == ["after a", "after b", "beside"]


async def test_asks_are_answered_at_once(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    await harness.execute()
    await harness.answer("b", {"size": 20})
    await harness.answer("a", {"size": 3})
    assert (await harness.execute()).output == 23


async def test_the_second_question_can_be_answered_while_the_first_branch_goes_on(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    asks = {open_ask.name: open_ask.ask for open_ask in (await harness.execute()).asks}
    await harness.answer("a", {"size": 3})
    run = await harness.execute(
        lambda journal: Interrupting(journal, "emit", 3, lambda: harness.answer("b", {"size": 20}, asks["b"]))
    )
    assert run.output == 23 and not run.refused


async def test_the_first_answer_wins(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    await harness.execute()
    await harness.answer("a", {"size": 1})
    second = await harness.answer("a", {"size": 2})
    await harness.answer("b", {"size": 10})
    run = await harness.execute()
    assert run.output == 11 and run.refused == {second: "It was answered before."}


async def test_an_answer_to_what_is_not_asked_is_refused(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    await harness.execute()
    cursor = await harness.answer("a", {"size": 2}, ask="0123")
    run = await harness.execute()
    assert run.status is RunStatus.WAITING and run.refused == {cursor: "The run no longer asks this."}


async def test_an_answer_that_does_not_fit_is_set_aside_and_asked_again_until_one_does(harness: Driver) -> None:
    await harness.start(two_asks, 1)
    seen = {next(a.ask for a in (await harness.execute()).asks if a.name == "a")}
    for wrong in ({"size": "large"}, None):
        await harness.answer("a", wrong)
        run = await harness.execute()
        assert run.status is RunStatus.WAITING
        seen.add(next(a.ask for a in run.asks if a.name == "a"))
    assert len(seen) == 3
    await harness.answer("b", {"size": 10})
    run = await harness.execute()
    notes = [event for event in await harness.events("step.message") if event.step == "two-asks/ask-size:a"]
    assert len(notes) == 2
    await harness.answer("a", {"size": 1})
    assert (await harness.execute()).output == 11


@component
async def compose(name: str) -> str:
    first = await work.key("1")(f"{name} 1")
    second = await work.key("2").settled()(f"{name} 2")
    return first + "+" + (second.value if second.ok else "-")


@workflow("document")
async def document(number: int) -> str:
    parts = await gather(compose.key("x")("x"), compose.key("y")("y"))
    return await work.key("end")("; ".join(parts))


async def test_a_retry_reruns_that_step_and_what_depends_on_it(harness: Driver) -> None:
    harness.probe.fail["x 2"] = [ValueError("broken")]
    await harness.start(document, 1)
    run = await harness.execute()
    assert run.status is RunStatus.INCOMPLETE and run.output == "x 1+-; y 1+y 2"
    harness.probe.calls.clear()
    await harness.retry("document/compose:x/work:2", guidance="shorter")
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED and run.output == "x 1+x 2 shorter; y 1+y 2"
    assert harness.probe.calls == ["x 2", "x 1+x 2 shorter; y 1+y 2"]


async def test_a_retry_of_a_composite_reruns_what_failed_in_it(harness: Driver) -> None:
    harness.probe.fail["x 2"] = [ValueError("broken")]
    await harness.start(document, 1)
    await harness.execute()
    harness.probe.calls.clear()
    await harness.retry("document/compose:x")
    await harness.execute()
    assert harness.probe.calls[0] == "x 2" and "x 1" not in harness.probe.calls


async def test_a_retry_of_a_composite_without_failures_reruns_all_of_it(harness: Driver) -> None:
    await harness.start(document, 1)
    await harness.execute()
    harness.probe.calls.clear()
    await harness.retry("document/compose:y")
    await harness.execute()
    assert harness.probe.calls == ["y 1", "y 2"]


async def test_a_retry_that_names_no_step_reruns_what_failed(harness: Driver) -> None:
    harness.probe.fail["x 2"] = [ValueError("broken")]
    await harness.start(document, 1)
    await harness.execute()
    await harness.retry()
    assert (await harness.execute()).status is RunStatus.SUCCEEDED


async def test_a_failed_rewrite_leaves_the_success_standing(harness: Driver) -> None:
    await harness.start(document, 1)
    before = (await harness.execute()).output
    for _ in range(2):
        harness.probe.fail["x 1"] = [ValueError("broken")]
        await harness.retry("document/compose:x/work:1")
        run = await harness.execute()
        assert run.status is RunStatus.INCOMPLETE and run.output == before
        step = run.steps["document/compose:x/work:1"]
        assert step.status is StepStatus.FAILED and step.success is step.attempts[0]
    await harness.retry("document/compose:x/work:1")
    assert (await harness.execute()).status is RunStatus.SUCCEEDED


async def test_a_failed_rewrite_of_a_composite_keeps_what_is_inside_it(harness: Driver) -> None:
    await harness.start(outer_document, 1)
    await harness.execute()
    harness.probe.values["refuse"] = True
    await harness.retry("outer-document/refusing")
    run = await harness.execute()
    assert run.status is RunStatus.INCOMPLETE and run.output == "inner"
    assert run.steps["outer-document/refusing/work"].status is not StepStatus.SKIPPED


@component
async def refusing() -> str:
    if resource(Probe).values.get("refuse"):
        raise ValueError("not now")
    return await work("inner")


@workflow("outer-document")
async def outer_document(number: int) -> str:
    return await refusing()


async def test_a_retry_of_an_unknown_step_is_refused_and_changes_nothing(harness: Driver) -> None:
    await harness.start(document, 1)
    before = await harness.execute()
    harness.probe.calls.clear()
    cursor = await harness.retry("document/compose:y", "document/compose:x/nothing")
    run = await harness.execute()
    assert run.refused == {cursor: "There is no step document/compose:x/nothing."}
    assert (run.status, run.output) == (before.status, before.output) and harness.probe.calls == []


async def test_a_refused_retry_does_not_wake_a_cancelled_run(harness: Driver) -> None:
    await harness.start(document, 1)
    await harness.cancel()
    await harness.execute()
    await harness.retry("document/nothing")
    run = await harness.execute()
    assert run.status is RunStatus.CANCELLED and harness.probe.calls == []


@component
async def hold_and_write(name: str) -> str:
    stream("the text ")
    stream("so far")
    await resource(Probe).hold(name)
    return "done"


@workflow("holding")
async def holding(number: int) -> str:
    await ask("go", "go?", str)
    return await hold_and_write("held")


async def test_a_cancel_reaches_the_running_step_and_keeps_its_text(harness: Driver) -> None:
    await harness.start(holding, 1)
    await harness.execute()
    await harness.answer("go", "yes")
    _, task = await harness.begin()
    await harness.probe.reached["held"].wait()
    await harness.cancel()
    assert await task == "ended"
    run = await harness.run()
    step = run.steps["holding/hold-and-write"]
    assert run.status is RunStatus.CANCELLED and step.status is StepStatus.SKIPPED
    assert step.latest is not None and step.latest.text == "the text so far"
    assert "step.failed" not in await harness.kinds()


@pytest.mark.parametrize("waiting", [False, True])
async def test_a_cancel_while_queued_or_waiting(harness: Driver, waiting: bool) -> None:
    await harness.start(holding, 1)
    if waiting:
        await harness.execute()
    await harness.cancel()
    run = await harness.execute()
    assert run.status is RunStatus.CANCELLED and not run.pending


async def test_a_cancel_and_the_end_it_brings_are_one_append(harness: Driver) -> None:
    """Wherever the worker is killed, the cancel is never marked as handled without the end."""
    await harness.start(holding, 1)
    await harness.cancel()
    calls: list[str] = []
    await harness.execute(lambda journal: Recording(journal, calls))
    assert "emit" not in calls


async def test_of_a_cancel_and_a_retry_the_later_counts(harness: Driver) -> None:
    await harness.start(document, 1)
    await harness.execute()
    await harness.retry("document/work:end")
    await harness.cancel()
    assert (await harness.execute()).status is RunStatus.CANCELLED
    await harness.retry("document/work:end")
    await harness.cancel()
    await harness.retry("document/work:end")
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED and not run.pending


async def test_a_command_that_this_version_cannot_read_is_refused(harness: Driver) -> None:
    await harness.start(document, 1)
    cursor = await harness.harness.put_damaged_command()
    run = await harness.execute()
    assert run.status is RunStatus.SUCCEEDED and run.refused == {cursor: "This version cannot read it."}
    assert len(run.unreadable) == 1


class Recording:
    """Records which of a journal's methods were called."""

    def __init__(self, journal: Journal, calls: list[str]) -> None:
        self._journal = journal
        self._calls = calls

    def __getattr__(self, name: str) -> Any:
        self._calls.append(name)
        return getattr(self._journal, name)


class Interrupting:
    """A journal around another, which calls `action` just before or just after the nth call of one of its methods.

    What happens in the middle of emitting comes between two entries of the log, whichever log it is: what was emitted
    before stands there already, and what is emitted meanwhile waits.
    """

    def __init__(
        self, journal: Journal, method: str, number: int, action: Callable[[], Awaitable[Any]], after: bool = False
    ) -> None:
        self._journal = journal
        self._method, self._number, self._action, self._after = method, number, action, after
        self._calls = 0
        self._waiting: list[Event] = []
        self._between: asyncio.Task[None] | None = None
        self.done = False

    def _is_now(self, method: str, after: bool) -> bool:
        if method == self._method and not after:
            self._calls += 1
        if self.done or (method, after, self._calls) != (self._method, self._after, self._number):
            return False
        self.done = True
        return True

    async def _now(self, method: str, after: bool) -> None:
        if between := self._between:
            await asyncio.wait([between])
            between.result()
        if self._is_now(method, after):
            await self._action()

    def emit(self, event: Event) -> None:
        if self._is_now("emit", False):
            self._between = asyncio.create_task(self._come_between())
        if self._between:
            self._waiting.append(event)
        else:
            self._journal.emit(event)
        if self._is_now("emit", True):
            self._between = asyncio.create_task(self._come_between())

    async def _come_between(self) -> None:
        await self._journal.commit()
        await self._action()
        self._between = None
        for event in self._waiting:
            self._journal.emit(event)

    async def commit(self) -> None:
        await self._now("commit", False)
        await self._journal.commit()
        await self._now("commit", True)

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        await self._now("release", False)
        await self._journal.release(events, how, handled)
        await self._now("release", True)

    async def fold(self) -> Run:
        await self._now("fold", False)
        run = await self._journal.fold()
        await self._now("fold", True)
        return run

    async def commands(self, after: str) -> list[Command]:
        await self._now("commands", False)
        found = await self._journal.commands(after)
        await self._now("commands", True)
        return found

    async def next_command(self, after: str) -> None:
        await self._journal.next_command(after)


async def settle_run(harness: Driver) -> Run:
    """Execute as a scheduler does, until the run has ended and no command waits."""
    for _ in range(6):
        run = await harness.run()
        if run.ended and not run.pending:
            return run
        if run.status is RunStatus.WAITING:
            await harness.answer("go", "yes")
        harness.probe.gates["held"].set()
        await harness.execute()
    raise AssertionError("the run came to no end")


CALLS = {
    "start": {"fold": 1, "emit": 2, "release": 1},
    "answered": {"fold": 1, "emit": 7, "commit": 1, "release": 1},
    "draining": {"fold": 1, "release": 1},
}
"""How often a worker calls each of its journal's methods that touch the log, by what it finds when it takes the run."""

MOMENTS = [
    (phase, method, number + 1, after)
    for phase, calls in CALLS.items()
    for method, times in calls.items()
    for number in range(times)
    for after in (False, True)
]


async def prepare(harness: Driver, phase: str) -> str:
    """Bring a run to where a worker takes it; return the id of its ask, if it asked."""
    await harness.start(holding, 1)
    harness.probe.gates["held"].set()
    if phase == "start":
        return "unknown"
    asked = (await harness.execute()).asks[0].ask
    await harness.answer("go", "yes")
    return asked


async def execute(harness: Driver, phase: str, around: Around) -> None:
    executor = await harness.harness.take(around)
    if phase == "draining":
        executor.drain()
    await executor.execute()


@pytest.mark.parametrize("phase", list(CALLS))
async def test_the_moments_are_all_there_are(harness: Driver, phase: str) -> None:
    await prepare(harness, phase)
    calls: list[str] = []
    await execute(harness, phase, lambda journal: Recording(journal, calls))
    watching = {"commands", "next_command"}  # these only read what a command has changed
    assert {method: calls.count(method) for method in {*calls} - watching} == CALLS[phase]


@pytest.mark.parametrize(("phase", "method", "number", "after"), MOMENTS)
@pytest.mark.parametrize("kind", ["cancel", "retry", "answer"])
async def test_a_command_at_any_moment_is_neither_lost_nor_applied_twice(
    harness: Driver, kind: str, phase: str, method: str, number: int, after: bool
) -> None:
    asked = await prepare(harness, phase)
    sent: list[str] = []

    async def send() -> None:
        try:
            match kind:
                case "cancel":
                    sent.append(await harness.cancel())
                case "retry":
                    sent.append(await harness.retry("holding"))
                case _:
                    sent.append(await harness.answer("go", "late", asked))
        except RunEnded:
            sent.append("")
            assert kind != "retry" and (method, after) == ("release", True)

    await execute(harness, phase, lambda journal: Interrupting(journal, method, number, send, after))
    assert sent, "the moment did not come"
    left = await harness.run()
    assert not left.pending or left.status is RunStatus.QUEUED, "a command was slept through"
    run = await settle_run(harness)
    judged = [e.data.command for e in await harness.events("command.applied", "command.refused")]
    commands = [e.id for e in await harness.events("command.cancel", "command.retry", "command.answer")]
    assert sorted(judged) == sorted(commands)
    if kind == "cancel" and sent[0]:
        assert run.status is RunStatus.CANCELLED
    else:
        assert run.status is RunStatus.SUCCEEDED and run.output == "done"
    if kind == "retry" and sent[0] not in run.refused:
        after_retry = [event for event in await harness.started("holding") if is_after(event.id, sent[0])]
        assert after_retry, "the retry had no effect"
