"""The arq queue, which only brings the ids of runs to a worker. Which worker may execute a run, its epoch decides.

A job is done as soon as its runs are taken, or cannot be had. arq locks a job for as long as it may last and keeps it
in the queue meanwhile: jobs that last as long as runs would be left over, locked, by every worker that dies.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool

from app.contract.keys import EXECUTE_JOB, job_id, queue_key
from app.stores.stores import Stores
from worker.engine.error_reporting import LoopErrors
from worker.engine.holder import RunHolder

POLL_SECONDS = 0.05
RESTART_SECONDS = 0.5
"""The pause before arq's worker is created anew after an error."""

LONGEST_JOB = 60
"""arq's limit (seconds) on taking the runs of a job."""

JOBS_AT_ONCE = 16
FINISH_SECONDS = 2.0
FRESH_SECONDS = 2.0
"""How long a job counts as waiting. One that a worker took before it died stays in the queue for longer."""


def serialize(value: dict[str, Any]) -> bytes:
    """Write a job as JSON: arq's default, pickle, would execute what somebody put into Redis."""
    return json.dumps(value, default=str).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(data)
    return loaded


def connect_arq(url: str, versions: dict[str, str]) -> ArqRedis:
    """Return arq's connection to the queue of the workers that serve exactly these versions."""
    return ArqRedis(
        ConnectionPool.from_url(url, socket_timeout=10, socket_connect_timeout=5),
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=queue_key(versions),
    )


class EnqueuedJob(NamedTuple):
    """How many runs a job holds, and when (monotonic seconds) it was enqueued."""

    runs: int
    at: float


class ArqQueue:
    """Enqueues due runs, and starts in this process's holder those that arq brings."""

    def __init__(self, arq: ArqRedis, stores: Stores, holder: RunHolder, versions: dict[str, str]) -> None:
        self._arq = arq
        self._leases = stores.leases
        self._holder = holder
        self._name = queue_key(versions)
        self._stopping = False
        self._worker: Worker | None = None
        self._wake = asyncio.Event()
        self._enqueued: dict[str, EnqueuedJob] = {}
        self._errors = LoopErrors()

    async def enqueue(self, due: Mapping[str, int]) -> None:
        """Enqueue these runs (id to the time in ms since when it is due) as one job, for whichever worker is first.

        One job for all of them, as arq needs some ten calls to Redis for each job.
        """
        if not due:
            return
        run_id, since = next(iter(due.items()))
        job = job_id(run_id, since)
        await self._arq.enqueue_job(EXECUTE_JOB, *due, _job_id=job)
        self._enqueued[job] = EnqueuedJob(len(due), time.monotonic())
        self._wake.set()

    async def count_waiting(self) -> int:
        """Return how many of the runs that this process enqueued lately have not been taken by any worker."""
        oldest = time.monotonic() - FRESH_SECONDS
        for job in [job for job, enqueued in self._enqueued.items() if enqueued.at < oldest]:
            del self._enqueued[job]
        if not self._enqueued:
            return 0
        enqueued = dict(self._enqueued)
        scores = await self._arq.zmscore(self._name, list(enqueued))
        return sum(job.runs for job, score in zip(enqueued.values(), scores, strict=True) if score is not None)

    async def run_forever(self) -> None:
        """Take jobs until cancelled. While Redis cannot be reached, the held runs go on."""
        while True:
            # A new one each time: arq loses count of its slots when Redis fails while it takes a job.
            self._worker = self._create_worker()
            try:
                await self._worker.async_run()
            except Exception as error:
                self._errors.report("queue failed", error)
            await asyncio.sleep(RESTART_SECONDS)

    async def stop(self) -> None:
        """Take no more jobs, and finish those that were taken."""
        self._stopping = True
        if self._worker is not None:
            self._worker.allow_pick_jobs = False
            if tasks := list(self._worker.tasks.values()):
                await asyncio.wait(tasks, timeout=FINISH_SECONDS)

    async def _start_runs(self, ctx: dict[Any, Any], *run_ids: str) -> None:
        """Start these runs; make those that this worker cannot take due at once, for another one."""
        self._enqueued.pop(ctx["job_id"], None)
        started = await asyncio.gather(*map(self._start_run, run_ids))
        left = [run_id for run_id, is_settled in zip(run_ids, started, strict=True) if not is_settled]
        if left:
            await self._leases.return_claims(left)

    async def _start_run(self, run_id: str) -> bool:
        """Start one run, if this worker can take it; return False if another worker should."""
        holder = self._holder
        if holder.room <= 0 and run_id not in holder.runs:
            return False
        try:
            await holder.start(run_id)
        except Exception as error:
            # The run stays claimed for a moment, and is then due again.
            self._errors.report("run not taken", error, run=run_id)
            return True
        return not holder.draining or run_id in holder.runs

    def _create_worker(self) -> Worker:
        worker = _WakeableWorker(
            wake=self._wake,
            functions=[
                func(self._start_runs, name=EXECUTE_JOB, timeout=LONGEST_JOB, keep_result=0, max_tries=1_000_000)
            ],
            queue_name=self._name,
            redis_pool=self._arq,
            handle_signals=False,
            max_jobs=JOBS_AT_ONCE,
            keep_result=0,
            job_serializer=serialize,
            job_deserializer=deserialize,
            health_check_interval=3600,
        )
        worker.allow_pick_jobs = not self._stopping
        return worker


class _WakeableWorker(Worker):
    """arq's worker, which polls the queue at once when `wake` is set, and not only after its pause."""

    def __init__(self, *, wake: asyncio.Event, **settings: Any) -> None:
        super().__init__(**settings)
        self._wake = wake

    async def main(self) -> None:
        self.ctx["redis"] = self.pool
        while True:
            self._wake.clear()
            await self._poll_iteration()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._wake.wait()
