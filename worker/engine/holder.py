"""Taking a run, keeping its lease while it is worked on, and letting it go."""

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
from app.stores.leases import Leases
from app.stores.log import Log
from worker.engine.log_journal import LogJournal
from worker.runtime import Workflow, Workflows
from worker.runtime.execution import ResultCache
from worker.runtime.run_executor import RunExecutor

logger = structlog.get_logger()

LONGEST_RENEWAL = 0.4
"""The longest pause (seconds) between renewals: a renewal also brings word of commands, such as a cancel."""

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
"""How long (seconds) a run is kept back after this process failed to go on with it; doubled each time in a row."""

Resources = Callable[[Minted], Mapping[Any, Any]]
"""Gives what the components of one run may use: stores are bound to the run's workspace and epoch."""


@dataclass(frozen=True, slots=True)
class WorkerIdentity:
    """Who this worker is: its name in leases and beats, and its build."""

    holder: str
    build: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A run that is held here now. `newest` is the cursor of the newest command in its log."""

    workflow: Workflow
    minted: Minted
    newest: str


class RunHolder:
    """Holds this process's runs, each in a task of its own. What goes wrong with one of them stays with that one."""

    def __init__(
        self,
        identity: WorkerIdentity,
        workflows: Workflows,
        log: Log,
        leases: Leases,
        epochs: Epochs,
        resources: Resources,
        cache: Callable[[Minted], ResultCache] | None = None,
        *,
        capacity: int = 16,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._identity = identity
        self._workflows = workflows
        self._log = log
        self._leases = leases
        self._epochs = epochs
        self._resources = resources
        self._cache = cache
        self._capacity = capacity
        self._first_pause = first_pause
        self._runs: dict[str, RunExecutor | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._troubles: Counter[str] = Counter()
        self._idle = asyncio.Event()
        self._idle.set()
        self.freed = asyncio.Event()
        self._leaving = asyncio.Event()

    @property
    def runs(self) -> list[str]:
        """The ids of the runs that are held here, or about to be."""
        return list(self._runs)

    @property
    def full(self) -> bool:
        return len(self._runs) >= self._capacity

    @property
    def draining(self) -> bool:
        return self._leaving.is_set()

    async def start(self, run_id: str) -> None:
        """Take the run if it is to be had, and begin to go on with it. Raises what Redis and SQL raise."""
        if taken := await self._take(run_id):
            task = asyncio.create_task(self._go_on(taken), name=run_id)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def hold(self, run_id: str) -> None:
        """Take the run if it is to be had, and go on with it until it is let go or lost."""
        if taken := await self._take(run_id):
            await self._go_on(taken)

    def hand_over(self, run_id: str) -> None:
        """Let go of one run, running steps and all, for whoever takes it next."""
        if conductor := self._runs.get(run_id):
            conductor.abort()

    async def drain(self, seconds: float) -> None:
        """Take nothing more; give running steps this long, then interrupt them. Every run is handed over.

        Where Redis is out of reach, it is left at that when the leases have run out.
        """
        self._leaving.set()
        for conductor in self._runs.values():
            if conductor:
                conductor.drain()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()
        self.abort()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._leases.lease_ms / 1000):
                await self._idle.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def abort(self) -> None:
        """Interrupt the running steps, and hand their runs over."""
        self._leaving.set()
        for conductor in self._runs.values():
            if conductor:
                conductor.abort()

    async def _take(self, run_id: str) -> Taken | None:
        if self.draining or run_id in self._runs:
            return None
        # Before the first await: two jobs for one run must not mint against each other.
        self._runs[run_id] = None
        self._idle.clear()
        taken = None
        try:
            taken = await self._mint(run_id)
        finally:
            if taken is None:
                self._forget(run_id)
        return taken

    async def _mint(self, run_id: str) -> Taken | None:
        # Reserved first: of two jobs for one run, the one that comes second must not mint the newer epoch.
        if self.draining or not await self._leases.reserve(run_id):
            return None
        minted = await self._leases.keep_reserved(run_id, self._epochs.mint(run_id, self._workflows.versions))
        if minted is None:
            return None
        workflow = self._workflows[minted.workflow]
        newest = await self._leases.take(
            run_id,
            minted.epoch,
            self._identity.holder,
            workflow.name,
            workflow.version,
            state=minted.state,
            shipped=minted.shipped,
        )
        return None if newest is None else Taken(workflow, minted, newest)

    def _forget(self, run_id: str) -> None:
        del self._runs[run_id]
        self.freed.set()
        if not self._runs:
            self._idle.set()

    async def _go_on(self, taken: Taken) -> None:
        minted = taken.minted
        journal = LogJournal(
            self._log,
            minted.run_id,
            minted.epoch,
            lease_ms=self._leases.lease_ms,
            floor=minted.shipped,
            newest_command=taken.newest,
        )
        keeper = asyncio.create_task(self._keep(journal, minted))
        try:
            async with journal:
                await self._survive(taken, journal)
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
            self._forget(minted.run_id)

    async def _survive(self, taken: Taken, journal: LogJournal) -> None:
        """Conduct, and let go of the run whatever happens: nothing that goes wrong here is the run's failure."""
        run_id, epoch = taken.minted.run_id, taken.minted.epoch
        try:
            await self._conduct(taken, journal)
        except StaleEpoch:
            if journal.lost:
                logger.warning("run lost to another epoch", run=run_id, epoch=epoch)
                return
            # SQL has a newer epoch, but Redis still takes this one's facts: end that at once.
            await journal.abandon("somebody else was about to take it")
        except Exception as error:
            logger.exception("run not conducted", run=run_id, epoch=epoch)
            await self._wait_after_trouble(taken, journal)
            await journal.abandon(f"its worker could not go on with it ({type(error).__name__})", trouble=True)
        else:
            del self._troubles[run_id]

    async def _conduct(self, taken: Taken, journal: LogJournal) -> None:
        minted, workflow = taken.minted, taken.workflow
        conductor = RunExecutor(
            workflow,
            journal,
            epoch=minted.epoch,
            workspace_id=minted.workspace_id,
            build=self._identity.build,
            holder=self._identity.holder,
            resources=self._resources(minted),
            cache=self._cache(minted) if self._cache else None,
        )
        self._runs[minted.run_id] = conductor
        if self.draining:
            conductor.drain()
        await conductor.execute()

    async def _wait_after_trouble(self, taken: Taken, journal: LogJournal) -> None:
        """Keep the run back for a while, so that what always fails is not tried all the time; a command that comes, or
        came since the run was taken, is not kept waiting."""
        run_id = taken.minted.run_id
        self._troubles[run_id] += 1
        pause = min(self._first_pause * 2.0 ** (self._troubles[run_id] - 1), LONGEST_PAUSE)
        reasons = [asyncio.create_task(wait) for wait in (self._leaving.wait(), journal.rung(taken.newest))]
        try:
            await asyncio.wait(reasons, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for reason in reasons:
                reason.cancel()

    async def _keep(self, journal: LogJournal, minted: Minted) -> None:
        pause = min(self._leases.lease_ms / 4000, LONGEST_RENEWAL)
        while True:
            await asyncio.sleep(pause)
            try:
                journal.ring(await self._leases.renew(minted.run_id, minted.epoch))
            except StaleEpoch as stale:
                journal.lose(stale)
                return
            except (RedisError, OSError) as error:
                logger.warning("lease not renewed", run=minted.run_id, error=str(error))
