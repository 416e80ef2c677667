"""Runs a workflow again and again, kills its worker in the middle, resumes it, and checks what must hold."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from app.contract.events import CommandAnswer
from app.contract.fold import Run
from app.contract.payloads import Answer, Ask
from app.contract.runs import StepStatus
from worker.runtime import Workflow
from worker.runtime.conductor import Conductor
from worker.runtime.memory import MemoryLog
from worker.testing.invariants import InvariantBroken, check_log
from worker.testing.mortal import MortalJournal

Wire = Callable[[int], Awaitable[Mapping[Any, Any]]]
"""Gives the resources of a worker that holds the run in this epoch, as `worker/main.py` wires them."""


async def wire_nothing(_epoch: int) -> Mapping[Any, Any]:
    return {}


@dataclass(frozen=True)
class World:
    """One run's surroundings: its input, and what its workers are wired with.

    `run_id` is the id under which the run's rows stand, where there are any. `answer` gives a person's answer to what
    the workflow asks; without it, every proposal is taken as it is.
    """

    value: Any
    wire: Wire = wire_nothing
    run_id: str = "run_chaos"
    answer: Callable[[Ask], Any] = lambda ask: ask.proposal


Worlds = Callable[[], AbstractAsyncContextManager[World]]
"""Makes a new world for each run, so that runs do not see each other."""


def given(value: Any, resources: Mapping[Any, Any] | None = None) -> Worlds:
    """Worlds for a workflow that changes nothing outside: this input, and these resources for every worker."""

    async def wire(_epoch: int) -> Mapping[Any, Any]:
        return resources or {}

    @asynccontextmanager
    async def make() -> Any:
        yield World(value, wire)

    return make


@dataclass(frozen=True)
class Outcome:
    """What a run came to, deaths or not: its end, its output, and the text and objects of each step that count."""

    status: str
    output: Any
    steps: Mapping[str, tuple[str, str, Mapping[str, Any]]]

    @classmethod
    def of(cls, run: Run) -> Outcome:
        steps = {}
        for path, step in run.steps.items():
            counts = step.counting if step.status is StepStatus.SUCCEEDED else None
            steps[path] = (step.status.value, counts.text if counts else "", counts.objects if counts else {})
        return cls(run.status.value, run.output, steps)


class Chaos:
    """Kills workers of a workflow on a log in memory.

    After every death the run is resumed in a new epoch. Then its log must be in order (see `check_log`), and what it
    came to must be what the undisturbed run came to: the same end, output, texts and objects.

    `events` counts the events of all runs by type, and `died_after` the deaths by the type of the last event before
    them, so that a test can see that its worlds come to all that it means to disturb: asks, retries, settled failures.
    """

    def __init__(self, *, seed: int = 0, at_once: int = 8) -> None:
        self._seed = seed
        self._slots = asyncio.Semaphore(at_once)
        self.events: Counter[str] = Counter()
        self.died_after: Counter[str] = Counter()

    async def at_every_event(self, workflow: Workflow, worlds: Worlds) -> int:
        """Kill the worker before the run's first fact, in another run after it, and so on up to the one before the
        end, on both sides of every wait; gives how many runs."""
        expected, facts = await self._undisturbed(workflow, worlds)
        await self._all(self._disturbed(workflow, worlds, [fact], expected) for fact in range(facts))
        return facts

    async def at_random(self, workflow: Workflow, worlds: Worlds, *, runs: int, deaths: int = 3) -> None:
        """In each of these runs, let this many workers in a row die at random places of the run."""
        expected, facts = await self._undisturbed(workflow, worlds)
        dice = random.Random(self._seed)
        plans = []
        for _ in range(runs):
            places = sorted(dice.randrange(facts) for _ in range(deaths))
            plans.append([place - before for before, place in pairwise([0, *places])])
        await self._all(self._disturbed(workflow, worlds, plan, expected) for plan in plans)

    async def _all(self, runs: Iterable[Coroutine[Any, Any, None]]) -> None:
        """All of these at once, until the first one that does not survive: its own error is what the test shows."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for run in runs:
                    tasks.create_task(run)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None

    async def _undisturbed(self, workflow: Workflow, worlds: Worlds) -> tuple[Outcome, int]:
        run, facts = await self._run(workflow, worlds, [])
        return Outcome.of(run), facts

    async def _disturbed(self, workflow: Workflow, worlds: Worlds, plan: Sequence[int], expected: Outcome) -> None:
        run, _ = await self._run(workflow, worlds, plan)
        came_to = Outcome.of(run)
        if came_to != expected:
            raise InvariantBroken(f"{_tell(workflow, plan)}: {_difference(came_to, expected)}")

    async def _run(self, workflow: Workflow, worlds: Worlds, plan: Sequence[int]) -> tuple[Run, int]:
        """One run: each number in `plan` is a death after that many facts more; the last worker lives. Gives its facts
        too."""
        async with self._slots, worlds() as world:
            log = MemoryLog(workflow, world.value, world.run_id)
            for facts in plan:
                if await _go_on(log, world, facts):
                    self.died_after[log.events[-1].type] += 1
            await _go_on(log, world, None)
            events = log.events
            self.events.update(event.type for event in events)
            if problems := check_log(events):
                raise InvariantBroken(f"{_tell(workflow, plan)}:\n" + "\n".join(problems))
            return log.run, sum(event.epoch > 0 for event in events)


async def _go_on(log: MemoryLog, world: World, facts: int | None) -> bool:
    """Let workers go on, through the run's waits, until it ends or one dies after so many facts; whether one did."""
    while not log.run.ended:
        _answer(log, world)
        mortal = await _live(log, world, facts)
        if mortal.death.is_set():
            return True
        facts = mortal.left
    return False


async def _live(log: MemoryLog, world: World, facts: int | None) -> MortalJournal:
    """One worker's life: it takes the run, and dies after so many facts, unless it has let go of it before."""
    journal = log.take()
    mortal = MortalJournal(journal, facts)
    resources = await world.wire(journal.epoch)
    conductor = Conductor(log.workflow, mortal, epoch=journal.epoch, resources=resources)
    working = asyncio.create_task(conductor.conduct())
    dying = asyncio.create_task(mortal.death.wait())
    try:
        await asyncio.wait({working, dying}, return_when=asyncio.FIRST_COMPLETED)
        if working.done() and not mortal.death.is_set():
            working.result()
    finally:
        for task in (working, dying):
            task.cancel()
        await asyncio.gather(working, dying, return_exceptions=True)
    return mortal


def _answer(log: MemoryLog, world: World) -> None:
    for ask in log.run.asks:
        log.command(CommandAnswer(data=Answer(ask=ask.ask, name=ask.name, value=world.answer(ask))))


def _tell(workflow: Workflow, plan: Sequence[int]) -> str:
    return f"{workflow.name}, with workers dying after {', '.join(map(str, plan)) or 'no'} facts"


def _difference(came_to: Outcome, expected: Outcome) -> str:
    if came_to.status != expected.status:
        return f"it ended as {came_to.status} instead of {expected.status}"
    if came_to.output != expected.output:
        return f"its output is {came_to.output!r}\ninstead of {expected.output!r}"
    paths = {*came_to.steps, *expected.steps}
    lines = [
        f"{path}: {came_to.steps.get(path)!r}\ninstead of {expected.steps.get(path)!r}"
        for path in sorted(paths)
        if came_to.steps.get(path) != expected.steps.get(path)
    ]
    return "\n".join(lines)
