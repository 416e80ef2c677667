"""The holder of a worker's runs: takes a run, renews its lease while the run is executed, and lets go of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.contract.errors import StaleEpoch
from app.stores.epochs import Epochs, Minted
from app.stores.stores import Stores
from worker.engine.fencing import Fence
from worker.engine.log_journal import LogJournal
from worker.engine.result_cache import SqlCache
from worker.runtime import Workflow, Workflows
from worker.runtime.run_executor import RunExecutor

logger = structlog.get_logger()

LONGEST_RENEWAL = 0.4
"""The longest pause (seconds) between renewals: a renewal also returns the newest command, such as a cancel."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""How long (seconds) a run is kept back after this process failed to execute it; doubled each time in a row."""

ResourceFactory = Callable[[Minted, Epochs], Mapping[Any, Any]]
"""Builds what the components of one run may use: stores are bound to its workspace, and write under these epochs."""


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who this worker is: its name in leases and beats, and its build."""

    holder: str
    build: str


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A run that is held here now. `newest` is the cursor of the newest command in its log."""

    workflow: Workflow
    minted: Minted
    newest: str


class RunHolder:
    """Holds this process's runs, each in a task of its own. An error around one of them harms no other."""

    def __init__(
        self,
        identity: WorkerIdentity,
        workflows: Workflows,
        stores: Stores,
        build_resources: ResourceFactory,
        *,
        capacity: int = 16,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._identity = identity
        self._workflows = workflows
        self._stores = stores
        self._fence = Fence(stores.database, self.hand_over)
        self._build_resources = build_resources
        self.capacity = capacity
        self._first_pause = first_pause
        self._executors: dict[str, RunExecutor | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = asyncio.Event()
        self.freed = asyncio.Event()
        """Set whenever a run is let go."""

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that are held here, or about to be."""
        return list(self._executors)

    @property
    def room(self) -> int:
        """How many more runs this worker can hold."""
        return self.capacity - len(self._executors)

    @property
    def draining(self) -> bool:
        return self._draining.is_set()

    async def start(self, run_id: str) -> None:
        """Take the run if it can be had, and begin to execute it. Raise what Redis and SQL raise."""
        if held := await self._take(run_id):
            task = asyncio.create_task(self._hold(held), name=run_id)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def hold(self, run_id: str) -> None:
        """Take the run if it can be had, and execute it until it is let go or lost."""
        if held := await self._take(run_id):
            await self._hold(held)

    def hand_over(self, run_id: str) -> None:
        """Interrupt one run's steps, and hand it over to whichever worker takes it next."""
        if executor := self._executors.get(run_id):
            executor.abort()

    async def drain(self, seconds: float) -> None:
        """Take no more runs; let running steps end for this long, then interrupt them. Hand every run over.

        Where Redis cannot be reached, stop trying when the leases have run out.
        """
        self._draining.set()
        for executor in self._executors.values():
            if executor:
                executor.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        self.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._stores.leases.lease_ms / 1000):
                await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def abort(self) -> None:
        """Take no more runs, interrupt the running steps, and hand their runs over."""
        self._draining.set()
        for executor in self._executors.values():
            if executor:
                executor.abort()

    async def _take(self, run_id: str) -> HeldRun | None:
        if self.draining or run_id in self._executors:
            return None
        # Before the first await: two jobs for one run must not mint against each other.
        self._executors[run_id] = None
        self._idle.clear()
        held = None
        try:
            held = await self._take_lease(run_id)
        finally:
            if held is None:
                self._remove(run_id)
        return held

    async def _take_lease(self, run_id: str) -> HeldRun | None:
        leases = self._stores.leases
        # Reserved first: of two workers with a job for one run, the second must not mint the newer epoch.
        if self.draining or not await leases.reserve(run_id):
            return None
        minted = await leases.keep_reserved(run_id, self._stores.epochs.mint(run_id, self._workflows.versions))
        if minted is None:
            return None
        workflow = self._workflows[minted.workflow]
        newest = await leases.take(
            run_id,
            minted.epoch,
            self._identity.holder,
            workflow.name,
            workflow.version,
            state=minted.state,
            shipped=minted.shipped,
        )
        return None if newest is None else HeldRun(workflow, minted, newest)

    def _remove(self, run_id: str) -> None:
        del self._executors[run_id]
        self.freed.set()
        if not self._executors:
            self._idle.set()

    async def _hold(self, held: HeldRun) -> None:
        minted = held.minted
        journal = LogJournal(
            self._stores.log,
            minted.run_id,
            minted.epoch,
            lease_ms=self._stores.leases.lease_ms,
            floor=minted.shipped,
            newest_command=held.newest,
        )
        renewing = asyncio.create_task(self._renew_lease(journal, minted))
        try:
            async with journal:
                await self._execute_and_let_go(held, journal)
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            self._remove(minted.run_id)

    async def _execute_and_let_go(self, held: HeldRun, journal: LogJournal) -> None:
        """Execute the run, and let go of it whatever happens: no error that is raised here is the run's own failure."""
        run_id, epoch = held.minted.run_id, held.minted.epoch
        try:
            await self._execute(held, journal)
        except StaleEpoch:
            if journal.lost:
                logger.warning("run lost to another epoch", run=run_id, epoch=epoch)
                return
            # SQL has a newer epoch, but Redis still takes this one's facts: end that at once.
            await journal.abandon("somebody else was about to take it")
        except Exception as error:
            logger.exception("run not executed", run=run_id, epoch=epoch)
            await self._wait_after_failure(held, journal)
            await journal.abandon(f"its worker could not go on with it ({type(error).__name__})", trouble=True)
        else:
            del self._failures[run_id]

    async def _execute(self, held: HeldRun, journal: LogJournal) -> None:
        minted = held.minted
        executor = RunExecutor(
            held.workflow,
            journal,
            epoch=minted.epoch,
            workspace_id=minted.workspace_id,
            build=self._identity.build,
            holder=self._identity.holder,
            resources=self._build_resources(minted, self._fence),
            cache=SqlCache(self._stores.database, self._fence, minted),
        )
        self._executors[minted.run_id] = executor
        if self.draining:
            executor.drain()
        await executor.execute()

    async def _wait_after_failure(self, held: HeldRun, journal: LogJournal) -> None:
        """Keep the run back for a while, so that one that always fails is not tried all the time.

        A command does not wait for that, whether it comes now or came since the run was taken.
        """
        run_id = held.minted.run_id
        self._failures[run_id] += 1
        pause = min(self._first_pause * 2.0 ** (self._failures[run_id] - 1), LONGEST_PAUSE)
        reasons = [asyncio.create_task(wait) for wait in (self._draining.wait(), journal.command_or_loss(held.newest))]
        try:
            await asyncio.wait(reasons, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for reason in reasons:
                reason.cancel()

    async def _renew_lease(self, journal: LogJournal, minted: Minted) -> None:
        """Renew the lease until cancelled or lost, and notify the journal of each newer command."""
        leases = self._stores.leases
        pause = min(leases.lease_ms / 4000, LONGEST_RENEWAL)
        while True:
            await asyncio.sleep(pause)
            try:
                journal.notify(await leases.renew(minted.run_id, minted.epoch))
            except StaleEpoch as stale:
                journal.lose(stale)
                return
            except (RedisError, OSError) as error:
                logger.warning("lease not renewed", run=minted.run_id, error=str(error))
