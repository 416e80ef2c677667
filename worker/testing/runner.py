"""`ScenarioRunner`: one run of a scenario, executed by one worker after another and disturbed on the way."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from jsonschema import Draft202012Validator
from pydantic_core import to_jsonable_python

from app.contract.events import Command, CommandAnswer, Event
from app.contract.payloads import AnswerData, Ask
from app.contract.run import Run
from app.contract.status import RunStatus
from worker.runtime import Workflow
from worker.runtime.in_memory import MemoryLog
from worker.runtime.run_executor import RunExecutor
from worker.testing.cache import MemoryCache
from worker.testing.effects import EffectRecord, current_record
from worker.testing.errors import Endless, ScenarioUnfit
from worker.testing.failing_journal import FailingJournal
from worker.testing.invariants import check_log
from worker.testing.outcome import show, show_event, show_last
from worker.testing.scenarios import Scenario


class ScenarioRunner:
    """A run on a log in memory.

    `disturbances` tell what was done to the run and after what; `disturbed_after` has the types of the events before
    them (`effect` for an effect).
    """

    def __init__(self, workflow: Workflow, scenario: Scenario) -> None:
        self.workflow = workflow
        self.log = MemoryLog(workflow, scenario.value, scenario.run_id)
        self.record = EffectRecord(self.log)
        self.disturbances: list[str] = []
        self.disturbed_after: list[str] = []
        self._scenario = scenario
        self._cache = scenario.cache or MemoryCache()
        current_record.set(self.record)

    @property
    def run(self) -> Run:
        return self.log.run

    @property
    def events(self) -> Sequence[Event]:
        return self.log.events

    @property
    def places(self) -> int:
        """The number of places at which the run can be disturbed: one for each of its facts and effects."""
        return sum(event.epoch > 0 for event in self.events) + len(self.record.effects)

    @property
    def description(self) -> str:
        """The disturbances in one line, with which messages begin."""
        return ", then ".join(self.disturbances) or "not disturbed"

    @property
    def misfits(self) -> list[str]:
        """Differences between the undisturbed run and what its scenario says."""
        run = self.run
        if run.status == self._scenario.ends:
            return []
        errors = [f"{step.path}: {step.error.kind}: {step.error.message}" for step in run.failed_steps if step.error]
        lines = [f"it ended as {run.status} instead of {self._scenario.ends}", *errors]
        if run.error and not errors:
            lines.append(f"{run.error.step}: {run.error.kind}: {run.error.message}")
        if missing := re.search(r"This worker has no (\w+)", "\n".join(lines)):
            lines.append(f"Give the worker what it lacks: given(…, {{{missing[1]}: …}}).")
        return [*lines, f"If it is meant to end like that: given(…, ends={run.status.value!r})."]

    @property
    def problems(self) -> list[str]:
        return check_log(self.events)

    def count_attempts(self, path: str) -> int:
        """Return how often a step was started."""
        step = self.run.steps.get(path)
        return len(step.attempts) if step else 0

    def command(self, command: Command) -> None:
        self.log.command(command)

    async def run_to_end(self) -> None:
        """Execute the run, through its waits, until it ends."""
        await self._execute(None, cancels=False)

    async def kill_after(self, places: int) -> None:
        """Execute the run until a worker was killed after so many places more, or the run has ended."""
        await self._execute(places, cancels=False)

    async def cancel_after(self, places: int) -> None:
        """Execute the run until it has ended; a person cancels it after so many places more."""
        await self._execute(places, cancels=True)

    async def _execute(self, places: int | None, *, cancels: bool) -> None:
        while not self.run.ended:
            self._answer_asks()
            journal = await self._run_worker(places, cancels)
            if journal.too_long or self.run.passes > self._scenario.most_passes:
                raise Endless(
                    self._explain_endless(f"does not end: {self.run.passes} passes, {len(self.log.entries)} entries")
                )
            if journal.killed.is_set():
                self._add_disturbance("killed")
                return
            places = journal.places_left

    async def _run_worker(self, places: int | None, cancels: bool) -> FailingJournal:
        """Let one worker take the run, until it releases the run or is killed."""
        taken, scenario = self.log.take(), self._scenario
        journal = FailingJournal(taken, places, scenario.most_facts, self._cancel if cancels else None)
        self.record.journal = journal
        resources = await scenario.wire(taken.epoch)
        executor = RunExecutor(self.workflow, journal, epoch=taken.epoch, resources=resources, cache=self._cache)
        executing = asyncio.create_task(executor.execute())
        killed = asyncio.create_task(journal.killed.wait())
        try:
            await asyncio.wait({executing, killed}, timeout=scenario.patience, return_when=asyncio.FIRST_COMPLETED)
            if executing.done() and not journal.killed.is_set():
                executing.result()
            elif not journal.killed.is_set():
                raise Endless(self._explain_endless(f"stands still: a worker had it for {scenario.patience:g} s"))
        finally:
            for task in (executing, killed):
                task.cancel()
            await asyncio.gather(executing, killed, return_exceptions=True)
        return journal

    def _cancel(self) -> None:
        self._add_disturbance("cancelled")
        if self.log.state != "ended":
            self.log.cancel()

    def _add_disturbance(self, what: str) -> None:
        effect = self.record.last
        self.disturbances.append(f"{what} after {effect or show_event(self.events[-1])}")
        self.disturbed_after.append("effect" if effect else self.events[-1].type)

    def _answer_asks(self) -> None:
        """Answer what the run waits for, as a person does."""
        for ask in self.run.asks if self.run.status is RunStatus.WAITING else ():
            value = to_jsonable_python(self._scenario.answer(ask))
            self._check_answer(ask, value)
            self.log.command(CommandAnswer(data=AnswerData(ask=ask.ask, name=ask.name, value=value)))

    def _check_answer(self, ask: Ask, value: object) -> None:
        """Raise `ScenarioUnfit` when an answer is not of the type that is asked for."""
        wrong = next(Draft202012Validator(ask.answer_schema).iter_errors(value), None)
        if wrong is not None:
            given = ask.name in (self._scenario.answers or {})
            whose = "The answer" if given else "No answer is given, and the proposal"
            raise ScenarioUnfit(
                f"{ask.step} asks “{ask.name}”. {whose} {show(value)} does not fit: {wrong.message}.\n"
                f"Give one that fits: given(…, answers={{{ask.name!r}: …}}), a value or a function of the ask."
            )

    def _explain_endless(self, what: str) -> str:
        return (
            f"{self.workflow.name} {what}. The last events are\n{show_last(self.events)}\n"
            "An answer that the workflow sets aside or asks for again makes it ask for ever: give another with "
            "given(…, answers=…). Where it is only long: given(…, most_passes=…, most_facts=…, patience=…)."
        )
