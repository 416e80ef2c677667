"""The supervisor: finds the runs that are due and enqueues them. It never executes one.

Every worker process has one. They need not agree: what they do to Redis is atomic, and the epoch decides in the end.
"""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.contract.jobs import EXECUTE, job_id
from app.contract.manifest import BEAT_SECONDS, Beat, version_number
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Due, Leases
from worker.leases import Holder, Identity
from worker.runtime import Workflows

logger = structlog.get_logger()

LOOK_SECONDS = 0.1
SWEEP_SECONDS = 2.0
ANNOUNCE_BEATS = 5
DUE_LOOKED_AT = 200


class Supervisor:
    """Looks for due runs, sweeps SQL for runs that Redis has lost, and beats."""

    def __init__(
        self,
        identity: Identity,
        workflows: Workflows,
        holder: Holder,
        leases: Leases,
        epochs: Epochs,
        fleet: Fleet,
        queue: Any,
        *,
        capacity: int,
        author: str,
    ) -> None:
        self._identity = identity
        self._workflows = workflows
        self._holder = holder
        self._leases = leases
        self._epochs = epochs
        self._fleet = fleet
        self._queue = queue
        self._capacity = capacity
        self._author = author
        self._leaving = False
        self._looking = asyncio.Lock()

    async def supervise(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._look, LOOK_SECONDS))
            tasks.create_task(self._repeat(self.sweep, SWEEP_SECONDS))
            tasks.create_task(self._beat())

    async def leave(self) -> None:
        """Enqueue nothing more, and say so."""
        self._leaving = True
        async with self._looking:  # what was claimed is enqueued before this process ends
            pass
        try:
            await self._fleet.beat(self._pulse())
        except (RedisError, OSError) as error:
            logger.warning("leaving unsaid", error=str(error))

    async def _repeat(self, action: Any, seconds: float) -> None:
        while not self._leaving:
            try:
                await action()
            except (RedisError, SQLAlchemyError, OSError) as error:
                logger.warning("supervision failed", action=action.__name__, error=str(error))
            await asyncio.sleep(seconds)

    async def _look(self) -> None:
        room = self._capacity - len(self._holder.runs)
        if room <= 0:
            return
        async with self._looking:
            for due in await self._leases.due(DUE_LOOKED_AT):
                if room <= 0 or self._leaving:
                    return
                if self._serves(due) and (since := await self._leases.claim(due)) is not None:
                    await self._queue.enqueue_job(EXECUTE, due.run_id, _job_id=job_id(due.run_id, since))
                    room -= 1

    def _serves(self, due: Due) -> bool:
        workflow = self._workflows.get(due.workflow)
        return workflow is not None and version_number(workflow.version) >= version_number(due.version)

    async def sweep(self) -> None:
        """Make due what SQL knows as open and Redis does not know at all."""
        runs = await self._epochs.open_runs()
        known = await self._leases.known([run_id for run_id, _, _ in runs]) if runs else set()
        for run_id, workflow, version in runs:
            if run_id not in known and await self._leases.restore(run_id, workflow, version):
                logger.info("run restored", run=run_id)

    async def _beat(self) -> None:
        count = 0
        while True:
            try:
                if count % ANNOUNCE_BEATS == 0:
                    await self._fleet.announce([workflow.manifest() for workflow in self._workflows.values()])
                await self._fleet.beat(self._pulse())
            except (RedisError, OSError) as error:
                logger.warning("no beat", error=str(error))
            count += 1
            await asyncio.sleep(BEAT_SECONDS)

    def _pulse(self) -> Beat:
        return Beat(
            worker=self._identity.holder,
            build=self._identity.build,
            runs=self._holder.runs,
            capacity=self._capacity,
            workflows=self._workflows.versions,
            author=self._author,
            leaving=self._leaving,
        )
