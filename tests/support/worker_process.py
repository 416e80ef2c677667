"""Real worker processes on real stores, with the submission, the commands and the logs of their runs."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlmodel import col

from app.contract.events import Event
from app.contract.run import Run
from app.contract.settings import Settings
from app.runs.commands import Commands
from app.runs.drafts import Drafts
from app.runs.queries import Queries
from app.runs.submission import Submission
from app.stores.connection import CLIENT_OPTIONS
from app.stores.stores import Stores
from app.stores.tables import RunRow
from tests.support.fork_server import ForkedProcess, fork_server
from tests.support.site_rows import SITE, WORKSPACE, add_read_site

DEADLINE = 60.0
"""How long (seconds) anything here may take before it counts as never happening."""

POLL_SECONDS = 0.02
ROOT = Path(__file__).parents[2]

Seen = Callable[[list[Event]], bool]


@dataclass
class WorkerHandle:
    """A worker process. Its output goes to `log_file`."""

    process: ForkedProcess
    log_file: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def kill(self) -> None:
        """Kill the process, as a crash does."""
        self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def wait(self) -> int:
        """Return the exit code, once the process has ended."""
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()

    async def stop(self) -> int:
        """Send SIGTERM, as a deploy does; return the exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait()


class Deployment:
    """The stores, the API's use cases, and the worker processes that a test starts."""

    def __init__(self, settings: Settings, folder: Path, environment: Mapping[str, str]) -> None:
        self.settings = settings
        self.folder = folder
        self.environment = dict(environment)
        self.workers: list[WorkerHandle] = []
        self._numbers = itertools.count()
        self.stores = Stores.connect(settings, Redis.from_url(settings.redis_url, **CLIENT_OPTIONS))
        self.redis, self.database = self.stores.redis, self.stores.database
        self.log, self.archive, self.fleet = self.stores.log, self.stores.archive, self.stores.fleet
        self.submission = Submission(settings, self.database, self.log, self.fleet)
        self.commands = Commands(self.log, Drafts(self.database, self.log))
        self.queries = Queries(self.database, self.log)

    async def close(self) -> None:
        for worker in self.workers:
            if worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()
        await self.stores.close()

    async def start_worker(self, *entry: str, **environment: str) -> WorkerHandle:
        """Start a worker process, and wait until it beats. `entry` is a module with its arguments, as after `-m`."""
        worker = await self.launch_worker(*entry, **environment)
        await self.wait_for_beat(worker)
        return worker

    async def launch_worker(self, *entry: str, **environment: str) -> WorkerHandle:
        """Start a worker process."""
        log_file = self.folder / f"worker-{next(self._numbers)}.log"
        module, *arguments = entry or ("worker",)
        surroundings = {**_bare_environment(), **self.environment, **environment}
        process = await asyncio.to_thread(fork_server().start, module, arguments, surroundings, log_file)
        worker = WorkerHandle(process, log_file)
        self.workers.append(worker)
        return worker

    async def wait_for_beat(self, worker: WorkerHandle) -> None:
        async def beats() -> bool:
            if worker.process.returncode is not None:
                raise AssertionError(worker.log_file.read_text())
            return any(f"-{worker.pid}-" in beat.worker for beat in await self.fleet.workers())

        await until(beats, lambda: worker.log_file.read_text())

    async def holder_of(self, run_id: str) -> WorkerHandle:
        """Return the worker that holds the run."""
        holder = await self.redis.hget(f"run:{run_id}:lease", "holder")
        return next(worker for worker in self.workers if f"-{worker.pid}-" in (holder or ""))

    def submission_for(self, *hosts: str) -> Submission:
        """Return a submission that accepts addresses on these private hosts (`host:port`)."""
        settings = self.settings.model_copy(update={"crawl_allow": frozenset(hosts)})
        return Submission(settings, self.database, self.log, self.fleet)

    async def submit(self, workflow: str, value: Any) -> str:
        return (await self.submission.submit(workflow, value, WORKSPACE)).run_id

    async def write_post(self, topic: str = "cargo bikes and winter tyres", **brief: Any) -> str:
        """Submit a post of three sections from the site of `add_read_site`; return the run's id."""
        return await self.submit("write-post", {"site_id": SITE, "topic": topic, "length": "short", **brief})

    async def wait_for_events(self, run_id: str, seen: Seen) -> list[Event]:
        """Return the run's events, as soon as `seen` is true of them."""
        events: list[Event] = []

        async def is_seen() -> bool:
            nonlocal events
            events = await self.log.read(run_id)
            return seen(events)

        await until(is_seen, lambda: "\n".join(f"{e.id} {e.type} {e.step} {e.attempt} {e.epoch}" for e in events))
        return events

    async def wait_for_end(self, run_id: str) -> Run:
        await self.wait_for_events(run_id, lambda events: events[-1].type in END_TYPES)
        return await self.log.fold(run_id)

    async def wait_until_shipped(self, run_id: str) -> str:
        """Return the last cursor, when SQL has all that the log in Redis has."""
        shipped = ""

        async def is_shipped() -> bool:
            nonlocal shipped
            shipped = await self.archive.shipped(run_id)
            entries = await self.redis.xrevrange(f"run:{run_id}:log", count=1)
            return bool(entries) and bool(entries[0][0] == shipped)

        await until(is_shipped, lambda: f"shipped up to {shipped}")
        return shipped

    async def row(self, run_id: str) -> RunRow:
        async with self.database.reading() as session:
            row = await session.scalar(select(RunRow).where(col(RunRow.id) == run_id))
        assert row is not None
        return row


END_TYPES = ("run.succeeded", "run.incomplete", "run.failed", "run.cancelled")


async def until(condition: Callable[[], Any], describe: Callable[[], str]) -> None:
    """Return as soon as the condition holds. While Redis does not answer, it does not hold."""
    give_up = time.monotonic() + DEADLINE
    while True:
        try:
            if await condition():
                return
        except (RedisError, OSError):
            pass  # the test has killed Redis, and polls until it is back
        if time.monotonic() > give_up:
            raise AssertionError(f"It did not happen within {DEADLINE:g} s. There is:\n{describe()}")
        await asyncio.sleep(POLL_SECONDS)


@asynccontextmanager
async def running_deployment(settings: Settings, folder: Path, **environment: str) -> AsyncIterator[Deployment]:
    """Yield a deployment with a site to write from, and no workers. Kill its workers at the end of the block."""
    given = {
        "LONGHAND_DATA_DIR": str(settings.data_dir),
        "LONGHAND_REDIS_URL": settings.redis_url,
        "LONGHAND_LEASE_SECONDS": "1.5",
        **environment,
    }
    opened = Deployment(settings, folder, given)
    try:
        await add_read_site(opened.database)
        yield opened
    finally:
        await opened.close()


def _bare_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LONGHAND_")}
