"""`Chaos`: runs a workflow again and again, kills its worker or cancels it on the way, and checks what must hold."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
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

RETRYABLE = (StepStatus.SUCCEEDED, StepStatus.FAILED)


class Chaos:
    """Disturbs a workflow on a log in memory.

    After every kill the run is resumed in a new epoch, after a cancel it is retried. Then its log must be in order (see
    `check_log`), its end, output, texts and objects must be those of the undisturbed run, and no effect may have
    happened again that must not (see `Effects`).

    `events` counts the events of all runs by type, and `killed_after` the kills by the type of the last event before
    them (`effect` for an effect), so that a test can see that its scenarios reach all that it means to disturb. A place
    is a number of facts and effects after which a run is disturbed; `at` are those of one single run, which is then the
    only one. `rerun` is the command that a failure names for that.
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
        self.killed_after: Counter[str] = Counter()

    async def at_every_event(self, workflow: Workflow, scenarios: Scenarios, *, most: int | None = None) -> int:
        """Kill the worker before the run's first fact, in another run after it, and so on up to the one before the
        end, on both sides of every wait, and after every effect; or at `most` of these places. Return how many runs."""
        expected = await self._run_undisturbed(workflow, scenarios)
        plans = self._choose_places(expected, most)
        await self._run_all(self._run_killed(expected, scenarios, plan) for plan in plans)
        return len(plans)

    async def at_random(self, workflow: Workflow, scenarios: Scenarios, *, runs: int, kills: int = 3) -> None:
        """Kill in each of these runs this many workers, one after the other, at random places."""
        expected = await self._run_undisturbed(workflow, scenarios)
        rng = random.Random(self._seed)
        plans = [sorted(rng.randrange(expected.places) for _ in range(kills)) for _ in range(runs)]
        await self._run_all(self._run_killed(expected, scenarios, plan) for plan in ([self._at] if self._at else plans))

    async def cancel_at_every_event(self, workflow: Workflow, scenarios: Scenarios, *, most: int | None = None) -> int:
        """Cancel the run at each of the same places. It must end as cancelled, or as it was about to end; and when it
        is retried, it must come to what the undisturbed run came to. Return how many runs."""
        expected = await self._run_undisturbed(workflow, scenarios)
        plans = self._choose_places(expected, most)
        await self._run_all(self._run_cancelled(expected, scenarios, place) for [place, *_] in plans)
        return len(plans)

    async def retry_every_step(self, workflow: Workflow, scenarios: Scenarios) -> int:
        """Retry each step that succeeded or failed, the workflow itself too, one after the other once the run has
        ended. Each time it must come to the same again. Return how many retries."""
        expected = await self._run_undisturbed(workflow, scenarios)
        async with self._open_runner(workflow, scenarios) as runner:
            await runner.run_to_end()
            paths = [path for path, step in runner.run.steps.items() if step.status in RETRYABLE]
            for path in paths:
                before = runner.count_attempts(path)
                runner.command(CommandRetry(data=RetryData(steps=[path])))
                await runner.run_to_end()
                await self._check(runner, expected, scenarios, f"after a retry of {path}")
                if runner.count_attempts(path) == before:
                    raise InvariantBroken(f"{workflow.name}, after a retry of {path}: it was not executed again")
        return len(paths)

    def _choose_places(self, expected: ScenarioRunner, most: int | None) -> list[list[int]]:
        if self._at:
            return [self._at]
        places = range(expected.places)
        if most is not None and most < len(places):
            return [[place] for place in sorted(random.Random(self._seed).sample(places, most))]
        return [[place] for place in places]

    async def _run_all(self, runs: Iterable[Coroutine[Any, Any, None]]) -> None:
        """Run all of these at once. Raise the error of the first one that fails, rather than a group."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for run in runs:
                    tasks.create_task(run)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    @asynccontextmanager
    async def _open_runner(self, workflow: Workflow, scenarios: Scenarios) -> AsyncIterator[ScenarioRunner]:
        async with self._slots, scenarios() as scenario:
            runner = ScenarioRunner(workflow, scenario)
            yield runner
            self.events.update(event.type for event in runner.events)

    async def _run_undisturbed(self, workflow: Workflow, scenarios: Scenarios) -> ScenarioRunner:
        """Return the run to compare with. Raise `ScenarioUnfit` when it does not end as its scenario says."""
        async with self._open_runner(workflow, scenarios) as runner:
            await runner.run_to_end()
        problems = [*runner.problems, *runner.misfits, *self.effects.check(runner.record, runner.record)]
        if problems:
            raise ScenarioUnfit("\n".join([f"{workflow.name}, undisturbed:", *problems]))
        return runner

    async def _run_killed(self, expected: ScenarioRunner, scenarios: Scenarios, plan: Sequence[int]) -> None:
        async with self._open_runner(expected.workflow, scenarios) as runner:
            for before, place in pairwise([0, *plan]):
                await runner.kill_after(place - before)
            self.killed_after.update(runner.disturbed_after)
            await runner.run_to_end()
            await self._check(runner, expected, scenarios, at=plan)

    async def _run_cancelled(self, expected: ScenarioRunner, scenarios: Scenarios, place: int) -> None:
        async with self._open_runner(expected.workflow, scenarios) as runner:
            await runner.cancel_after(place)
            if runner.run.status == "cancelled":
                runner.command(CommandRetry(data=RetryData()))
                await runner.run_to_end()
            await self._check(runner, expected, scenarios, at=[place])

    async def _check(
        self,
        runner: ScenarioRunner,
        expected: ScenarioRunner,
        scenarios: Scenarios,
        when: str = "",
        at: Sequence[int] = (),
    ) -> None:
        """Raise `InvariantBroken` with all that is wrong with a disturbed run."""
        difference = find_difference(runner.events, expected.events)
        problems = [*runner.problems, *self.effects.check(runner.record, expected.record), *difference]
        if not problems:
            return
        if difference and await self._is_unsteady(expected, scenarios):
            problems.append(UNSTEADY)
        if at:
            problems.append(f"This run alone: {self._rerun} --chaos-at={','.join(map(str, at))}")
        raise InvariantBroken("\n".join([f"{runner.workflow.name}, {when or runner.description}:", *problems]))

    async def _is_unsteady(self, expected: ScenarioRunner, scenarios: Scenarios) -> bool:
        """Return whether one more undisturbed run comes to something else."""
        async with scenarios() as scenario:
            runner = ScenarioRunner(expected.workflow, scenario)
            await runner.run_to_end()
            return bool(find_difference(runner.events, expected.events))
