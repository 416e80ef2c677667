"""arq, which only brings a run's id to a worker. Who may run it is for the epoch to decide.

A job is done as soon as the run is taken, or was not to be had: arq locks a job for as long as it may last, keeps it in
the queue meanwhile, and would look at those of dead workers again and again, until it saw no others.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import structlog
from arq.connections import ArqRedis
from arq.worker import Retry, Worker, func
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.contract import keys
from app.contract.jobs import EXECUTE, job_id, queue_name
from worker.leases import Holder

logger = structlog.get_logger()

POLL_SECONDS = 0.05
PAUSE_SECONDS = 0.5
FULL_SECONDS = 0.2
"""How long a full worker leaves a job for others to pick."""

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
        default_queue_name=queue_name(versions),
    )


async def execute_run(ctx: dict[Any, Any], run_id: str) -> None:
    """Begin to go on with a run."""
    holder: Holder = ctx["holder"]
    if holder.full and not holder.draining and run_id not in holder.runs:
        raise Retry(defer=FULL_SECONDS)
    ctx["enqueued"].pop(run_id, None)
    try:
        await holder.start(run_id)
        if holder.draining and run_id not in holder.runs:
            await _give_back(ctx["redis"], run_id)
    except (RedisError, SQLAlchemyError, OSError) as error:
        # It stays claimed for a moment, and is then due again.
        logger.warning("run not taken", run=run_id, error=str(error))


async def _give_back(redis: ArqRedis, run_id: str) -> None:
    """A run that was brought to a worker that leaves is due again at once."""
    seconds, micros = await redis.time()
    await redis.zadd(keys.DUE, {run_id: seconds * 1000 + micros // 1000}, xx=True, lt=True)


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


class Jobs:
    """Lets arq bring jobs to this process's holder."""

    def __init__(self, queue: ArqRedis, holder: Holder, versions: dict[str, str]) -> None:
        self._queue = queue
        self._holder = holder
        self._versions = versions
        self._leaving = False
        self._worker: Worker | None = None
        self._told = asyncio.Event()
        self._enqueued: dict[str, float] = {}

    async def enqueue(self, due: Mapping[str, int]) -> None:
        """Enqueue runs, which are due since then (ms), for whichever worker picks them first."""
        for run_id, since in due.items():
            await self._queue.enqueue_job(EXECUTE, run_id, _job_id=job_id(run_id, since))
            self._enqueued[run_id] = time.monotonic()
        # Once for all of them: arq asks Redis three things of each job in the queue, also of those under way.
        if due:
            self._told.set()

    async def coming(self) -> int:
        """How many of the runs that were enqueued from here a moment ago have not been taken by any worker.

        A moment, as jobs that a dead worker had picked stay in the queue for a while.
        """
        oldest = time.monotonic() - MOMENT_SECONDS
        for run_id in [run_id for run_id, at in self._enqueued.items() if at < oldest]:
            del self._enqueued[run_id]
        if not self._enqueued:
            return 0
        return min(len(self._enqueued), int(await self._queue.zcard(queue_name(self._versions))))

    async def pick_forever(self) -> None:
        """Pick jobs, until cancelled. Where Redis is out of reach for a while, held runs go on meanwhile."""
        while True:
            # A new one each time: arq loses count of its slots when Redis fails in the middle of picking.
            self._worker = self._create_worker()
            try:
                await self._worker.async_run()
            except (RedisError, OSError) as error:
                logger.warning("queue out of reach", error=str(error))
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
            functions=[func(execute_run, name=EXECUTE, timeout=LONGEST_JOB, keep_result=0, max_tries=1_000_000)],
            queue_name=queue_name(self._versions),
            redis_pool=self._queue,
            handle_signals=False,
            max_jobs=JOBS_AT_ONCE,
            keep_result=0,
            job_serializer=serialize,
            job_deserializer=deserialize,
            health_check_interval=3600,
            ctx={"holder": self._holder, "enqueued": self._enqueued},
        )
        worker.allow_pick_jobs = not self._leaving
        return worker
