"""arq, which only brings the ids of runs to a worker. Who may run them is for the epoch to decide.

A job is done as soon as the run is taken, or was not to be had: arq locks a job for as long as it may last, keeps it in
the queue meanwhile, and would look at those of dead workers again and again, until it saw no others.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool

from app.contract import keys
from app.contract.keys import EXECUTE_JOB, job_id, queue_key
from worker.engine.error_reporting import LoopErrors
from worker.engine.holder import RunHolder

POLL_SECONDS = 0.05
PAUSE_SECONDS = 0.5

LONGEST_JOB = 60
"""arq's limit (seconds) on taking a run."""

MOMENT_SECONDS = 2.0
JOBS_AT_ONCE = 16
FINISH_SECONDS = 2.0


def serialize(value: dict[str, Any]) -> bytes:
    """Jobs as JSON: arq's default, pickle, would run what somebody put into Redis."""
    return json.dumps(value, default=str).encode()


def deserialize(data: bytes) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(data)
    return loaded


def open_queue(url: str, versions: dict[str, str]) -> ArqRedis:
    """The queue of the workers that serve exactly these versions."""
    return ArqRedis(
        ConnectionPool.from_url(url, socket_timeout=10, socket_connect_timeout=5),
        job_serializer=serialize,
        job_deserializer=deserialize,
        default_queue_name=queue_key(versions),
    )


async def execute_runs(ctx: dict[Any, Any], *run_ids: str) -> None:
    """Begin to go on with these runs. Those that this worker can't take are due again at once."""
    ctx["enqueued"].pop(ctx["job_id"], None)
    left = [run_id for run_id in await asyncio.gather(*(_start(ctx, run_id) for run_id in run_ids)) if run_id]
    if left:
        await _give_back(ctx["redis"], left)


async def _start(ctx: dict[Any, Any], run_id: str) -> str | None:
    """Begin with one run; gives its id if somebody else should."""
    holder: RunHolder = ctx["holder"]
    if holder.full and run_id not in holder.runs:
        return run_id
    try:
        await holder.start(run_id)
    except Exception as error:
        # It stays claimed for a moment, and is then due again.
        ctx["troubles"].tell("run not taken", error, run=run_id)
        return None
    return run_id if holder.draining and run_id not in holder.runs else None


async def _give_back(redis: ArqRedis, run_ids: Sequence[str]) -> None:
    """Make these runs, which were claimed for a moment, due now."""
    seconds, micros = await redis.time()
    now = seconds * 1000 + micros // 1000
    await redis.zadd(keys.DUE, dict.fromkeys(run_ids, now), xx=True, lt=True)


class _Picker(Worker):
    """arq's worker, which looks into the queue at once when it is told to, and not at its next poll only."""

    def __init__(self, *, told: asyncio.Event, **settings: Any) -> None:
        super().__init__(**settings)
        self._told = told

    async def main(self) -> None:
        self.ctx["redis"] = self.pool
        while True:
            self._told.clear()
            await self._poll_iteration()
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._told.wait()


class Enqueued(NamedTuple):
    """How many runs are in a job, and when (monotonic seconds) it was enqueued."""

    runs: int
    at: float


class ArqQueue:
    """Lets arq bring jobs to this process's holder."""

    def __init__(self, queue: ArqRedis, holder: RunHolder, versions: dict[str, str]) -> None:
        self._queue = queue
        self._holder = holder
        self._versions = versions
        self._leaving = False
        self._worker: Worker | None = None
        self._told = asyncio.Event()
        self._enqueued: dict[str, Enqueued] = {}
        self._troubles = LoopErrors()

    async def enqueue(self, due: Mapping[str, int]) -> None:
        """Enqueue runs, which are due since then (ms), as one job for whichever worker picks it first.

        One job for all of them, as arq needs some ten calls to Redis for each.
        """
        if not due:
            return
        run_id, since = next(iter(due.items()))
        job = job_id(run_id, since)
        await self._queue.enqueue_job(EXECUTE_JOB, *due, _job_id=job)
        self._enqueued[job] = Enqueued(len(due), time.monotonic())
        self._told.set()

    async def coming(self) -> int:
        """How many of the runs that were enqueued from here a moment ago have not been taken by any worker.

        A moment, as jobs that a dead worker had picked stay in the queue for a while.
        """
        oldest = time.monotonic() - MOMENT_SECONDS
        for job in [job for job, enqueued in self._enqueued.items() if enqueued.at < oldest]:
            del self._enqueued[job]
        if not self._enqueued:
            return 0
        enqueued = dict(self._enqueued)
        scores = await self._queue.zmscore(queue_key(self._versions), list(enqueued))
        return sum(job.runs for job, score in zip(enqueued.values(), scores, strict=True) if score is not None)

    async def pick_forever(self) -> None:
        """Pick jobs, until cancelled. Where Redis is out of reach for a while, held runs go on meanwhile."""
        while True:
            # A new one each time: arq loses count of its slots when Redis fails in the middle of picking.
            self._worker = self._create_worker()
            try:
                await self._worker.async_run()
            except Exception as error:
                self._troubles.tell("picking failed", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def leave(self) -> None:
        """Pick nothing more, and finish with what was picked."""
        self._leaving = True
        if self._worker is not None:
            self._worker.allow_pick_jobs = False
            if tasks := list(self._worker.tasks.values()):
                await asyncio.wait(tasks, timeout=FINISH_SECONDS)

    def _create_worker(self) -> Worker:
        worker = _Picker(
            told=self._told,
            functions=[func(execute_runs, name=EXECUTE_JOB, timeout=LONGEST_JOB, keep_result=0, max_tries=1_000_000)],
            queue_name=queue_key(self._versions),
            redis_pool=self._queue,
            handle_signals=False,
            max_jobs=JOBS_AT_ONCE,
            keep_result=0,
            job_serializer=serialize,
            job_deserializer=deserialize,
            health_check_interval=3600,
            ctx={"holder": self._holder, "enqueued": self._enqueued, "troubles": self._troubles},
        )
        worker.allow_pick_jobs = not self._leaving
        return worker
