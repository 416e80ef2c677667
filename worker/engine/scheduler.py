"""The scheduler: finds the runs that are due and enqueues them. It never executes one.

Every worker process has a scheduler. They need not agree: what they do to Redis is atomic, and the epoch decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import structlog
from redis.exceptions import RedisError

from app.contract.manifest import HEARTBEAT_SECONDS, STALLED_AFTER_SECONDS, Heartbeat, version_number
from app.stores.leases import Due
from app.stores.stores import Stores
from worker.engine.arq_queue import ArqQueue
from worker.engine.error_reporting import LoopErrors
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.runtime import Workflows

logger = structlog.get_logger()

POLL_SECONDS = 0.1
SHORTEST_POLL_SECONDS = 0.03
"""The least pause between two polls for due runs: a poll brings as many of them as there is room for."""
SWEEP_SECONDS = 2.0
SWEPT_AT_ONCE = 500
STALL_SECONDS = 2.0
ANNOUNCE_BEATS = 5
EXTRA_DUE = 20
"""How many more due runs a poll reads than there is room for: some may be of workflows that this worker lacks."""


class Scheduler:
    """Polls for due runs, sweeps SQL for runs that Redis has lost, and beats."""

    def __init__(
        self,
        identity: WorkerIdentity,
        workflows: Workflows,
        stores: Stores,
        holder: RunHolder,
        queue: ArqQueue,
        *,
        author: str,
    ) -> None:
        self._identity = identity
        self._workflows = workflows
        self._leases = stores.leases
        self._epochs = stores.epochs
        self._archive = stores.archive
        self._fleet = stores.fleet
        self._holder = holder
        self._queue = queue
        self._author = author
        self._stopping = False
        self._unserved: set[str] = set()
        self._stalled: set[str] = set()
        self._server = ""
        self._polling = asyncio.Lock()
        self._errors = LoopErrors()

    async def run_forever(self) -> None:
        """Poll, sweep, find stalled runs and beat until cancelled. What fails is tried again."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._poll_forever())
            tasks.create_task(self._repeat(self.sweep, SWEEP_SECONDS))
            tasks.create_task(self._repeat(self.find_stalled, STALL_SECONDS))
            tasks.create_task(self._beat_forever())

    async def stop(self) -> None:
        """Enqueue no more runs, and announce that this worker leaves."""
        self._stopping = True
        async with self._polling:  # what was claimed is enqueued before this process ends
            pass
        try:
            await self._fleet.send_heartbeat(self._build_beat())
        except (RedisError, OSError) as error:
            logger.warning("leaving not announced", error=str(error))

    async def _poll_forever(self) -> None:
        """Poll after each pause, and sooner when a run that was held here leaves room."""
        while not self._stopping:
            self._holder.freed.clear()
            await self._try(self._poll)
            await asyncio.sleep(SHORTEST_POLL_SECONDS)
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS - SHORTEST_POLL_SECONDS):
                    await self._holder.freed.wait()

    async def _repeat(self, action: Callable[[], Awaitable[None]], seconds: float) -> None:
        while not self._stopping:
            await self._try(action)
            await asyncio.sleep(seconds)

    async def _try(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            await action()
        except Exception as error:
            self._errors.report("scheduling failed", error, action=action.__name__)

    async def _poll(self) -> None:
        """Claim due runs and enqueue them, as many as there is room for here."""
        room = self._holder.room
        if room <= 0:
            return
        async with self._polling:
            # Runs that are enqueued may come here, or to a worker that has room for the next one as well.
            room -= await self._queue.count_waiting()
            if room <= 0:
                return
            found = await self._leases.find_due(room + EXTRA_DUE, self._unserved)
            # A run's version only rises: it is not read again, and does not keep back those behind it.
            self._unserved.update(due.run_id for due in found if not self._serves(due))
            served = [due for due in found if self._serves(due)][:room]
            claims = await asyncio.gather(*map(self._claim, served), return_exceptions=True)
            await self._queue.enqueue(self._claimed(served, claims))

    def _claimed(self, served: Sequence[Due], claims: Sequence[int | BaseException | None]) -> dict[str, int]:
        """Return since when each claimed run has been due. One that could not be claimed keeps back no other."""
        claimed = {}
        for due, since in zip(served, claims, strict=True):
            if isinstance(since, Exception):
                self._errors.report("run not claimed", since, run=due.run_id)
            elif isinstance(since, int):
                claimed[due.run_id] = since
        return claimed

    async def _claim(self, due: Due) -> int | None:
        if not due.holder:
            return await self._leases.claim(due)
        position = await self._archive.position(due.run_id)
        return await self._leases.claim(due, state=position.state, shipped=position.shipped)

    def _serves(self, due: Due) -> bool:
        workflow = self._workflows.get(due.workflow)
        return workflow is not None and version_number(workflow.version) >= version_number(due.version)

    async def sweep(self) -> None:
        """Make due each run that is open in SQL, but that no worker would pick up since Redis has lost it.

        After a restart of Redis, examine all open runs: it may have lost only the end of a run's log.
        """
        server, runs = await self._leases.server_id(), await self._epochs.open_runs()
        known = (
            await self._leases.find_scheduled([run_id for run_id, _, _ in runs]) if server == self._server else set()
        )
        suspects = [run for run in runs if run[0] not in known]
        for start in range(0, len(suspects), SWEPT_AT_ONCE):
            batch = suspects[start : start + SWEPT_AT_ONCE]
            positions = await self._archive.positions([run_id for run_id, _, _ in batch])
            for run_id, workflow, version in batch:
                if await self._leases.restore(run_id, workflow, version, positions[run_id].shipped):
                    logger.info("run restored", run=run_id)
        self._server = server

    async def find_stalled(self) -> None:
        """Find the runs that are held here but have had no event for too long. The next beat names them."""
        idle = await self._leases.idle_times(self._holder.runs)
        stalled = {run_id for run_id, ms in idle.items() if ms > STALLED_AFTER_SECONDS * 1000}
        for run_id in stalled - self._stalled:
            logger.warning("run stalled", run=run_id, seconds_without_event=idle[run_id] // 1000)
        self._stalled = stalled

    async def _beat_forever(self) -> None:
        count = 0
        while True:
            try:
                if count % ANNOUNCE_BEATS == 0:
                    await self._fleet.announce([workflow.manifest() for workflow in self._workflows.values()])
                await self._fleet.send_heartbeat(self._build_beat())
            except Exception as error:
                self._errors.report("no beat", error)
            count += 1
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _build_beat(self) -> Heartbeat:
        return Heartbeat(
            worker=self._identity.holder,
            build=self._identity.build,
            runs=self._holder.runs,
            stalled=sorted(self._stalled),
            capacity=self._holder.capacity,
            workflows=self._workflows.versions,
            author=self._author,
            leaving=self._stopping,
        )
