"""`ScenarioRunner`: one run in a world, taken by one worker after the other, to which things happen on the way."""

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
from worker.testing.effects import Record, current_record
from worker.testing.errors import Endless, ScenarioUnfit
from worker.testing.failing_journal import FailingJournal
from worker.testing.invariants import check_log
from worker.testing.outcome import show, show_event, show_last
from worker.testing.scenarios import Scenario


class ScenarioRunner:
    """A run on a log in memory. `blows` tell what struck it, and after what; `struck_after` has the types of that."""

    def __init__(self, workflow: Workflow, world: Scenario) -> None:
        self.workflow = workflow
        self.log = MemoryLog(workflow, world.value, world.run_id)
        self.record = Record(self.log)
        self.blows: list[str] = []
        self.struck_after: list[str] = []
        self._world = world
        self._cache = world.cache or MemoryCache()
        current_record.set(self.record)

    @property
    def run(self) -> Run:
        return self.log.run

    @property
    def events(self) -> Sequence[Event]:
        return self.log.events

    @property
    def moments(self) -> int:
        """The moments of the run at which it can be struck: its facts, and its effects."""
        return sum(event.epoch > 0 for event in self.events) + len(self.record.effects)

    @property
    def told(self) -> str:
        """What was done to the run."""
        return ", then ".join(self.blows) or "not disturbed"

    @property
    def misfits(self) -> list[str]:
        """Why the run, which nobody disturbed, is not what its world says."""
        run = self.run
        if run.status == self._world.ends:
            return []
        errors = [f"{step.path}: {step.error.kind}: {step.error.message}" for step in run.failed_steps if step.error]
        said = [f"it ended as {run.status} instead of {self._world.ends}", *errors]
        if run.error and not errors:
            said.append(f"{run.error.step}: {run.error.kind}: {run.error.message}")
        if lacking := re.search(r"This worker has no (\w+)", "\n".join(said)):
            said.append(f"Give the worker what it lacks: given(…, {{{lacking[1]}: …}}).")
        return [*said, f"If it is meant to end like that: given(…, ends={run.status.value!r})."]

    @property
    def problems(self) -> list[str]:
        return check_log(self.events)

    def attempts(self, path: str) -> int:
        """How often a step was started."""
        step = self.run.steps.get(path)
        return len(step.attempts) if step else 0

    def command(self, command: Command) -> None:
        self.log.command(command)

    async def go_on(self) -> None:
        """Let workers go on, through the run's waits, until it ends."""
        await self._go_on(None, cancels=False)

    async def die(self, moments: int) -> None:
        """Let workers go on until one has died after so many moments more, or the run has ended."""
        await self._go_on(moments, cancels=False)

    async def cancel(self, moments: int) -> None:
        """Let workers go on until the run has ended; a person cancels it after so many moments."""
        await self._go_on(moments, cancels=True)

    async def _go_on(self, moments: int | None, *, cancels: bool) -> None:
        while not self.run.ended:
            self._answer()
            mortal = await self._live(moments, cancels)
            if mortal.overran or self.run.passes > self._world.most_passes:
                raise Endless(
                    self._tell_end(f"does not end: {self.run.passes} passes, {len(self.log.entries)} entries")
                )
            if mortal.death.is_set():
                self._note_blow("killed")
                return
            moments = mortal.left

    async def _live(self, moments: int | None, cancels: bool) -> FailingJournal:
        """One worker's life: it takes the run, and lets go of it or dies."""
        journal = self.log.take()
        strike = self._cancel_now if cancels else None
        mortal = FailingJournal(journal, moments, self._world.most_facts, strike)
        self.record.journal = mortal
        resources = await self._world.wire(journal.epoch)
        executor = RunExecutor(self.workflow, mortal, epoch=journal.epoch, resources=resources, cache=self._cache)
        working = asyncio.create_task(executor.execute())
        dying = asyncio.create_task(mortal.death.wait())
        try:
            await asyncio.wait({working, dying}, timeout=self._world.patience, return_when=asyncio.FIRST_COMPLETED)
            if working.done() and not mortal.death.is_set():
                working.result()
            elif not mortal.death.is_set():
                raise Endless(self._tell_end(f"stands still: a worker had it for {self._world.patience:g} s"))
        finally:
            for task in (working, dying):
                task.cancel()
            await asyncio.gather(working, dying, return_exceptions=True)
        return mortal

    def _cancel_now(self) -> None:
        self._note_blow("cancelled")
        if self.log.state != "ended":
            self.log.cancel()

    def _note_blow(self, what: str) -> None:
        last = self.record.last
        self.blows.append(f"{what} after {last or show_event(self.events[-1])}")
        self.struck_after.append("effect" if last else self.events[-1].type)

    def _answer(self) -> None:
        """Answer like a person what the run waits for."""
        for ask in self.run.asks if self.run.status is RunStatus.WAITING else ():
            value = to_jsonable_python(self._world.answer(ask))
            self._check_answer(ask, value)
            self.log.command(CommandAnswer(data=AnswerData(ask=ask.ask, name=ask.name, value=value)))

    def _check_answer(self, ask: Ask, value: object) -> None:
        wrong = next(Draft202012Validator(ask.answer_schema).iter_errors(value), None)
        if wrong is not None:
            whose = "The answer" if ask.name in (self._world.answers or {}) else "No answer is given, and the proposal"
            raise ScenarioUnfit(
                f"{ask.step} asks “{ask.name}”. {whose} {show(value)} does not fit: {wrong.message}.\n"
                f"Give one that fits: given(…, answers={{{ask.name!r}: …}}), a value or a function of the ask."
            )

    def _tell_end(self, what: str) -> str:
        return (
            f"{self.workflow.name} {what}. The last events are\n{show_last(self.events)}\n"
            "An answer that the workflow sets aside or asks for again makes it ask for ever: give another with "
            "given(…, answers=…). Where it is only long: given(…, most_passes=…, most_facts=…, patience=…)."
        )
