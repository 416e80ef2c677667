"""One pass over a workflow function: what it remembers, what it visits, and whether it can still move."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn, Protocol
from weakref import WeakSet

from app.contract.events import Event
from app.contract.payloads import Ask
from app.contract.run import Run
from app.contract.step import Step
from app.contract.step_paths import ancestor_paths
from worker.runtime.errors import OutsideRun
from worker.runtime.journal import Journal


class ResultCache(Protocol):
    """Results that runs share until they expire."""

    async def get(self, key: str) -> Any | None: ...

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None: ...


class Execution:
    """One pass. `run` is the fold of the log and of what this pass emitted: what is remembered is looked up there."""

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
        self.recalled: set[str] = set()
        self.asks: dict[str, Ask] = {}
        self.draining = asyncio.Event()
        self.stuck = asyncio.Event()
        self.lost: Exception | None = None
        self.over = False
        self.interrupted: set[asyncio.Future[Any]] = set()
        self.main: asyncio.Task[Any] | None = None
        self.branches: WeakSet[asyncio.Future[Any]] = WeakSet()
        self._moving = 1

    @property
    def going_on(self) -> bool:
        """Whether the pass goes on: it was not interrupted, and the log still takes its facts."""
        return not self.over and self.lost is None and self.main not in self.interrupted

    def emit(self, event: Event) -> None:
        """Append a fact to the log, in order, and to this pass's own state at once.

        When the log refuses, the pass is lost: the conductor is told, whatever the workflow makes of the error.
        """
        if self.over:
            raise OutsideRun("This part of the run is over; nothing can be written for it any more.")
        with self._noting_loss():
            self.journal.emit(event)
        self.run.apply(event)

    async def commit(self) -> None:
        """Return when all that was emitted stands in the log."""
        with self._noting_loss():
            await self.journal.commit()

    @contextmanager
    def _noting_loss(self) -> Iterator[None]:
        if self.lost is not None:
            raise self.lost
        try:
            yield
        except Exception as error:
            self.lost = error
            self.stuck.set()
            raise

    def branch(self, count: int) -> None:
        """`count` branches more (or fewer) can move. When none can, the pass is stuck: it parks or hands over."""
        self._moving += count
        if self._moving == 0:
            self.stuck.set()

    @property
    def in_branch(self) -> bool:
        """Whether the present task is one of those that are counted: the function's own, or a branch of `gather`."""
        task = asyncio.current_task()
        return task is not None and (task is self.main or task in self.branches)

    async def block(self) -> NoReturn:
        """Stop this branch for the rest of the pass; the next pass comes here again.

        A task that is not counted only stops. What runs beside it goes on, until the worker has to leave.
        """
        counted = int(self.in_branch)
        if counted:
            self.branch(-1)
        try:
            await asyncio.Future()
        finally:
            self._moving += counted
        raise AssertionError("a blocked branch ends by cancellation only")

    async def sleep(self, seconds: float) -> None:
        """Wait, or block when the worker drains: who goes on with the run comes here again."""
        try:
            async with asyncio.timeout(seconds):
                await self.draining.wait()
        except TimeoutError:
            return
        await self.block()

    def unvisited(self, steps: Iterable[Step]) -> list[Step]:
        """Those of `steps` that this pass did not come to, nor remembered a step above them."""
        return [
            step
            for step in steps
            if step.path not in self.visited and not any(path in self.recalled for path in ancestor_paths(step.path))
        ]

    def forget(self, path: str) -> None:
        """A new attempt of this step begins: what its earlier ones came to does not count."""
        for step in self.run.below(path):
            self.visited.discard(step.path)
            self.recalled.discard(step.path)
