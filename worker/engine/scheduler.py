"""The supervisor: finds the runs that are due and enqueues them. It never executes one.

Every worker process has one. They need not agree: what they do to Redis is atomic, and the epoch decides in the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.contract.manifest import HEARTBEAT_SECONDS, STALLED_AFTER_SECONDS, Heartbeat, version_number
from app.stores.archive import Archive
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Due, Leases
from worker.engine.arq_queue import ArqQueue
from worker.engine.error_reporting import LoopErrors
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.runtime import Workflows

logger = structlog.get_logger()

LOOK_SECONDS = 0.1
SOONEST_LOOK_SECONDS = 0.03
"""The least pause between two looks for due runs: a look brings as many of them as there is room for."""
SWEEP_SECONDS = 2.0
SWEPT_AT_ONCE = 500
STALL_SECONDS = 2.0
ANNOUNCE_BEATS = 5
DUE_LOOKED_AT = 20
"""How many due runs are looked at beyond those that there is room for."""


class Scheduler:
    """Looks for due runs, sweeps SQL for runs that Redis has lost, and beats."""

    def __init__(
        self,
        identity: WorkerIdentity,
        workflows: Workflows,
        holder: RunHolder,
        leases: Leases,
        epochs: Epochs,
        archive: Archive,
        fleet: Fleet,
        jobs: ArqQueue,
        *,
        capacity: int,
        author: str,
    ) -> None:
        self._identity = identity
        self._workflows = workflows
        self._holder = holder
        self._leases = leases
        self._epochs = epochs
        self._archive = archive
        self._fleet = fleet
        self._jobs = jobs
        self._capacity = capacity
        self._author = author
        self._leaving = False
        self._passed: set[str] = set()
        self._stalled: set[str] = set()
        self._server = ""
        self._looking = asyncio.Lock()
        self._troubles = LoopErrors()

    async def supervise(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._look, LOOK_SECONDS, early=self._holder.freed))
            tasks.create_task(self._repeat(self.sweep, SWEEP_SECONDS))
            tasks.create_task(self._repeat(self.find_stalled, STALL_SECONDS))
            tasks.create_task(self._beat())

    async def leave(self) -> None:
        """Enqueue nothing more, and say so."""
        self._leaving = True
        async with self._looking:  # what was claimed is enqueued before this process ends
            pass
        try:
            await self._fleet.send_heartbeat(self._pulse())
        except (RedisError, OSError) as error:
            logger.warning("leaving unsaid", error=str(error))

    async def _repeat(self, action: Any, seconds: float, early: asyncio.Event | None = None) -> None:
        """Do this again and again, with a pause between, which `early` ends."""
        while not self._leaving:
            if early:
                early.clear()
            try:
                await action()
            except Exception as error:
                self._troubles.tell("supervision failed", error, action=action.__name__)
            if early:
                await asyncio.sleep(SOONEST_LOOK_SECONDS)
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds - SOONEST_LOOK_SECONDS):
                        await early.wait()
            else:
                await asyncio.sleep(seconds)

    async def _look(self) -> None:
        room = self._capacity - len(self._holder.runs)
        if room <= 0:
            return
        async with self._looking:
            # What was enqueued may come here, or to a worker that has room for the next as well.
            room -= await self._jobs.coming()
            if room <= 0:
                return
            found = await self._leases.find_due(room + DUE_LOOKED_AT, self._passed)
            # A run's version only rises: it is not looked at again, and does not keep back those behind it.
            self._passed.update(due.run_id for due in found if not self._serves(due))
            served = [due for due in found if self._serves(due)][:room]
            claims = await asyncio.gather(*map(self._claim, served), return_exceptions=True)
            await self._jobs.enqueue(self._claimed(served, claims))

    def _claimed(self, served: Sequence[Due], claims: Sequence[int | BaseException | None]) -> dict[str, int]:
        """Since when each run that was claimed has been due. One that could not be claimed keeps back no other."""
        found = {}
        for due, since in zip(served, claims, strict=True):
            if isinstance(since, Exception):
                self._troubles.tell("run not claimed", since, run=due.run_id)
            elif isinstance(since, int):
                found[due.run_id] = since
        return found

    async def _claim(self, due: Due) -> int | None:
        if not due.holder:
            return await self._leases.claim(due)
        position = await self._archive.position(due.run_id)
        return await self._leases.claim(due, state=position.state, shipped=position.shipped)

    def _serves(self, due: Due) -> bool:
        workflow = self._workflows.get(due.workflow)
        return workflow is not None and version_number(workflow.version) >= version_number(due.version)

    async def sweep(self) -> None:
        """Make due what SQL knows as open and nobody would pick up; after a restart of Redis, also what it forgot."""
        server, runs = await self._leases.server_id(), await self._epochs.open_runs()
        ids = [run_id for run_id, _, _ in runs]
        scheduled = await self._leases.find_scheduled(ids) if server == self._server else set()
        suspects = [run for run in runs if run[0] not in scheduled]
        for start in range(0, len(suspects), SWEPT_AT_ONCE):
            batch = suspects[start : start + SWEPT_AT_ONCE]
            positions = await self._archive.positions([run_id for run_id, _, _ in batch])
            for run_id, workflow, version in batch:
                if await self._leases.restore(run_id, workflow, version, positions[run_id].shipped):
                    logger.info("run restored", run=run_id)
        self._server = server

    async def find_stalled(self) -> None:
        """Mark the runs that are held here, beat and all, but have had no event for too long."""
        idle = await self._leases.idle_times(self._holder.runs)
        stalled = {run_id for run_id, ms in idle.items() if ms > STALLED_AFTER_SECONDS * 1000}
        for run_id in stalled - self._stalled:
            logger.warning("run stalled", run=run_id, seconds_without_event=idle[run_id] // 1000)
        self._stalled = stalled

    async def _beat(self) -> None:
        count = 0
        while True:
            try:
                if count % ANNOUNCE_BEATS == 0:
                    await self._fleet.announce([workflow.manifest() for workflow in self._workflows.values()])
                await self._fleet.send_heartbeat(self._pulse())
            except Exception as error:
                self._troubles.tell("no beat", error)
            count += 1
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _pulse(self) -> Heartbeat:
        return Heartbeat(
            worker=self._identity.holder,
            build=self._identity.build,
            runs=self._holder.runs,
            stalled=sorted(self._stalled),
            capacity=self._capacity,
            workflows=self._workflows.versions,
            author=self._author,
            leaving=self._leaving,
        )
