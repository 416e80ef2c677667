"""One pass over a workflow function: what it has visited, and whether any of its branches can still run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol
from weakref import WeakSet

from app.contract.events import Event
from app.contract.payloads import Ask
from app.contract.run import Run, ancestors
from app.contract.step import Step
from worker.runtime.errors import OutsideRun
from worker.runtime.journal import Journal


class ResultCache(Protocol):
    """Results that runs share until they expire."""

    async def get(self, key: str) -> Any | None: ...

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None: ...


class Execution:
    """One pass, shared by all of its steps. `run` is the fold of the log and of what this pass has emitted.

    `visited` are the paths of the steps that the pass has called, `remembered` those whose outcome came from the log,
    `asks` the questions that wait for an answer. `stuck` is set when no branch can run; `journal_error` is why the log
    takes no more facts; `closed` says that the pass is over, and `interrupted` which of its tasks were cancelled.
    `root_task` runs the workflow function, `branch_tasks` the branches of `gather`.
    """

    def __init__(
        self,
        run: Run,
        journal: Journal,
        *,
        epoch: int = 0,
        workspace_id: str = "",
        resources: Mapping[Any, Any] | None = None,
        cache: ResultCache | None = None,
    ) -> None:
        self.run = run
        self.journal = journal
        self.epoch = epoch
        self.workspace_id = workspace_id
        self.resources = resources or {}
        self.cache = cache
        self.visited: set[str] = set()
        self.remembered: set[str] = set()
        self.asks: dict[str, Ask] = {}
        self.draining = asyncio.Event()
        self.stuck = asyncio.Event()
        self.journal_error: Exception | None = None
        self.closed = False
        self.interrupted: set[asyncio.Future[Any]] = set()
        self.root_task: asyncio.Task[Any] | None = None
        self.branch_tasks: WeakSet[asyncio.Future[Any]] = WeakSet()
        self._runnable = 1

    @property
    def active(self) -> bool:
        """True while the pass continues: it was not interrupted, and the log still takes its facts."""
        return not self.closed and self.journal_error is None and self.root_task not in self.interrupted

    def emit(self, event: Event) -> None:
        """Append a fact to the log, in order, and apply it to `run` at once.

        Raise what the log raises. The run's executor learns of that error too, whatever the workflow makes of it.
        """
        if self.closed:
            raise OutsideRun("This part of the run is over; nothing can be written for it any more.")
        with self._noting_error():
            self.journal.emit(event)
        self.run.apply(event)

    async def commit(self) -> None:
        """Return when all that was emitted stands in the log."""
        with self._noting_error():
            await self.journal.commit()

    @contextmanager
    def _noting_error(self) -> Iterator[None]:
        if self.journal_error is not None:
            raise self.journal_error
        try:
            yield
        except Exception as error:
            self.journal_error = error
            self.stuck.set()
            raise

    def add_runnable(self, count: int) -> None:
        """Count `count` branches more (or fewer) that can run. When none can, the pass is stuck: it parks or hands
        over."""
        self._runnable += count
        if self._runnable == 0:
            self.stuck.set()

    @property
    def in_branch(self) -> bool:
        """True in a task that is counted: the workflow function's own, or a branch of `gather`."""
        task = asyncio.current_task()
        return task is not None and (task is self.root_task or task in self.branch_tasks)

    async def block(self) -> NoReturn:
        """Stop this branch for the rest of the pass; the next pass comes here again.

        A task that is not counted only stops. What runs beside it continues, until the worker has to leave.
        """
        counted = int(self.in_branch)
        if counted:
            self.add_runnable(-1)
        try:
            await asyncio.Future()
        finally:
            self._runnable += counted
        raise AssertionError("a blocked branch ends by cancellation only")

    async def sleep(self, seconds: float) -> None:
        """Wait, or block when the worker drains: the worker that resumes the run comes here again."""
        try:
            async with asyncio.timeout(seconds):
                await self.draining.wait()
        except TimeoutError:
            return
        await self.block()

    def unvisited(self, steps: Iterable[Step]) -> list[Step]:
        """Return those of `steps` that this pass did not call, except inside a step whose outcome was remembered."""
        return [
            step
            for step in steps
            if step.path not in self.visited and not any(path in self.remembered for path in ancestors(step.path))
        ]

    def forget_below(self, path: str) -> None:
        """Forget what earlier attempts of this step have visited: a new attempt of it begins."""
        for step in self.run.below(path):
            self.visited.discard(step.path)
            self.remembered.discard(step.path)
