"""Runs a workflow again and again, kills its worker or cancels it in the middle, and checks what must hold."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from typing import Any

from app.contract.events import CommandRetry
from app.contract.payloads import RetryData
from app.contract.status import StepStatus
from worker.runtime import Workflow
from worker.testing.effects import Effects
from worker.testing.errors import InvariantBroken, ScenarioUnfit
from worker.testing.outcome import find_difference
from worker.testing.runner import ScenarioRunner
from worker.testing.scenarios import Scenarios

UNSTEADY = (
    "Two runs that nobody disturbs differ as well: something depends on chance, a clock, or what runs share. Only runs "
    "that come to the same can be compared. Give each a stand-in of its own that always says the same: given(…, a "
    "function that makes the resources)."
)

DETERMINED = (StepStatus.SUCCEEDED, StepStatus.FAILED)


class Chaos:
    """Disturbs a workflow on a log in memory.

    After every death the run is resumed in a new epoch, after a cancel it is retried. Then its log must be in order
    (see `check_log`), it must have come to what the undisturbed run came to (the same end, output, texts and objects),
    and no effect may have happened again that must not (see `Effects`).

    `events` counts the events of all runs by type, and `died_after` the deaths by the type of the last event before
    them (`effect` for an effect), so that a test can see that its worlds come to all that it means to disturb. `at` are
    the places of one single run: then there is no other. `rerun` is the command that a failure names for that.
    """

    def __init__(
        self, *, seed: int = 0, at: Sequence[int] = (), at_once: int = 8, rerun: str = "pytest -p worker.testing.plugin"
    ) -> None:
        self._seed = seed
        self._at = list(at)
        self._slots = asyncio.Semaphore(at_once)
        self._rerun = rerun
        self.effects = Effects()
        self.events: Counter[str] = Counter()
        self.died_after: Counter[str] = Counter()

    async def at_every_event(self, workflow: Workflow, worlds: Scenarios, *, most: int | None = None) -> int:
        """Kill the worker before the run's first fact, in another run after it, and so on up to the one before the
        end, on both sides of every wait, and after every effect; or at `most` of these places. Gives how many runs."""
        expected = await self._undisturbed(workflow, worlds)
        plans = self._places(expected, most)
        await self._all(self._die(expected, worlds, plan) for plan in plans)
        return len(plans)

    async def at_random(self, workflow: Workflow, worlds: Scenarios, *, runs: int, deaths: int = 3) -> None:
        """In each of these runs, let this many workers in a row die at random places of the run."""
        expected = await self._undisturbed(workflow, worlds)
        dice = random.Random(self._seed)
        plans = [sorted(dice.randrange(expected.moments) for _ in range(deaths)) for _ in range(runs)]
        await self._all(self._die(expected, worlds, plan) for plan in ([self._at] if self._at else plans))

    async def cancel_at_every_event(self, workflow: Workflow, worlds: Scenarios, *, most: int | None = None) -> int:
        """Cancel the run at each of the same places. It must end as cancelled, or as it was about to end; and when it
        is retried, it must come to what the undisturbed run came to. Gives how many runs."""
        expected = await self._undisturbed(workflow, worlds)
        plans = self._places(expected, most)
        await self._all(self._cancel(expected, worlds, place) for [place, *_] in plans)
        return len(plans)

    async def retry_every_step(self, workflow: Workflow, worlds: Scenarios) -> int:
        """When the run has ended, retry one after the other of the steps that succeeded or failed, the workflow itself
        too. Each time it must come to the same again. Gives how many retries."""
        expected = await self._undisturbed(workflow, worlds)
        async with self._trial(workflow, worlds) as trial:
            await trial.go_on()
            paths = [path for path, step in trial.run.steps.items() if step.status in DETERMINED]
            for path in paths:
                before = trial.attempts(path)
                trial.command(CommandRetry(data=RetryData(steps=[path])))
                await trial.go_on()
                await self._judge(trial, expected, worlds, f"after a retry of {path}")
                if trial.attempts(path) == before:
                    raise InvariantBroken(f"{workflow.name}, after a retry of {path}: it was not executed again")
        return len(paths)

    def _places(self, expected: ScenarioRunner, most: int | None) -> list[list[int]]:
        if self._at:
            return [self._at]
        places = range(expected.moments)
        if most is not None and most < len(places):
            return [[place] for place in sorted(random.Random(self._seed).sample(places, most))]
        return [[place] for place in places]

    async def _all(self, runs: Iterable[Coroutine[Any, Any, None]]) -> None:
        """All of these at once, until the first one that does not survive: its own error is what the test shows."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for run in runs:
                    tasks.create_task(run)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    @asynccontextmanager
    async def _trial(self, workflow: Workflow, worlds: Scenarios) -> Any:
        async with self._slots, worlds() as world:
            trial = ScenarioRunner(workflow, world)
            yield trial
            self.events.update(event.type for event in trial.events)

    async def _undisturbed(self, workflow: Workflow, worlds: Scenarios) -> ScenarioRunner:
        """The run to compare with. Raises `ScenarioUnfit` when it does not end as its world says."""
        trial: ScenarioRunner
        async with self._trial(workflow, worlds) as trial:
            await trial.go_on()
        problems = [*trial.problems, *trial.misfits, *self.effects.judge(trial.record, trial.record)]
        if problems:
            raise ScenarioUnfit("\n".join([f"{workflow.name}, undisturbed:", *problems]))
        return trial

    async def _die(self, expected: ScenarioRunner, worlds: Scenarios, plan: Sequence[int]) -> None:
        trial: ScenarioRunner
        async with self._trial(expected.workflow, worlds) as trial:
            for before, place in pairwise([0, *plan]):
                await trial.die(place - before)
            self.died_after.update(trial.struck_after)
            await trial.go_on()
            await self._judge(trial, expected, worlds, at=plan)

    async def _cancel(self, expected: ScenarioRunner, worlds: Scenarios, place: int) -> None:
        trial: ScenarioRunner
        async with self._trial(expected.workflow, worlds) as trial:
            await trial.cancel(place)
            if trial.run.status == "cancelled":
                trial.command(CommandRetry(data=RetryData()))
                await trial.go_on()
            await self._judge(trial, expected, worlds, at=[place])

    async def _judge(
        self, trial: ScenarioRunner, expected: ScenarioRunner, worlds: Scenarios, when: str = "", at: Sequence[int] = ()
    ) -> None:
        """Raises `InvariantBroken` with all that is wrong with a disturbed run."""
        difference = find_difference(trial.events, expected.events)
        problems = [*trial.problems, *self.effects.judge(trial.record, expected.record), *difference]
        if not problems:
            return
        if difference and await self._is_unsteady(expected, worlds):
            problems.append(UNSTEADY)
        if at:
            problems.append(f"This run alone: {self._rerun} --chaos-at={','.join(map(str, at))}")
        raise InvariantBroken("\n".join([f"{trial.workflow.name}, {when or trial.told}:", *problems]))

    async def _is_unsteady(self, expected: ScenarioRunner, worlds: Scenarios) -> bool:
        async with worlds() as world:
            trial = ScenarioRunner(expected.workflow, world)
            await trial.go_on()
            return bool(find_difference(trial.events, expected.events))
