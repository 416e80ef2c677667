"""Real worker processes, and the product around them: a person who submits and commands, an eye on the logs."""

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
from app.stores.archive import Archive
from app.stores.connection import CLIENT_OPTIONS
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.tables import RunRow
from tests.support.nursery import Child, nursery
from tests.support.site_rows import SITE, WORKSPACE, add_read_site

DEADLINE = 60.0
"""How long (seconds) anything here may take before it counts as never happening."""

LOOK_SECONDS = 0.02
ROOT = Path(__file__).parents[2]

Seen = Callable[[list[Event]], bool]


@dataclass
class WorkerHandle:
    """A worker process. What it says goes to `report`."""

    process: Child
    report: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    async def kill(self) -> None:
        """As a crash does it, without a goodbye."""
        self.process.kill()
        await self.process.wait()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def wait(self) -> int:
        """The exit code, once the process has ended."""
        async with asyncio.timeout(DEADLINE):
            return await self.process.wait()

    async def stop(self) -> int:
        """Ask it to end, as a deploy does; gives the exit code."""
        self.signal(signal.SIGTERM)
        return await self.wait()


class Product:
    """All but the workers: SQL, Redis, and what people do."""

    def __init__(self, settings: Settings, folder: Path, environment: Mapping[str, str]) -> None:
        self.settings = settings
        self.folder = folder
        self.environment = dict(environment)
        self.workers: list[WorkerHandle] = []
        self._numbers = itertools.count()
        self.database = Database(settings.resolved_database_url)
        self.redis: Any = Redis.from_url(settings.redis_url, **CLIENT_OPTIONS)
        self.archive = Archive(self.database)
        self.log = Log(self.redis, self.archive)
        self.fleet = Fleet(self.redis)
        self.submission = Submission(settings, self.database, self.log, self.fleet)
        self.commands = Commands(self.log, Drafts(self.database, self.log))
        self.queries = Queries(self.database, self.log)

    async def close(self) -> None:
        for worker in self.workers:
            if worker.process.returncode is None:
                worker.process.kill()
                await worker.process.wait()
        await self.redis.aclose()
        await self.database.close()

    async def start_worker(self, *entry: str, **environment: str) -> WorkerHandle:
        """Start a worker process, and wait until it beats. `entry` is a module with its arguments, as after `-m`."""
        worker = await self.launch_worker(*entry, **environment)
        await self.wait_for_beat(worker)
        return worker

    async def launch_worker(self, *entry: str, **environment: str) -> WorkerHandle:
        """Start a worker process."""
        report = self.folder / f"worker-{next(self._numbers)}.log"
        module, *arguments = entry or ("worker",)
        surroundings = {**_bare_environment(), **self.environment, **environment}
        process = await asyncio.to_thread(nursery().start, module, arguments, surroundings, report)
        worker = WorkerHandle(process, report)
        self.workers.append(worker)
        return worker

    async def wait_for_beat(self, worker: WorkerHandle) -> None:
        async def beats() -> bool:
            if worker.process.returncode is not None:
                raise AssertionError(worker.report.read_text())
            return any(f"-{worker.pid}-" in beat.worker for beat in await self.fleet.workers())

        await until(beats, lambda: worker.report.read_text())

    async def holder_of(self, run_id: str) -> WorkerHandle:
        """The worker that holds the run."""
        holder = await self.redis.hget(f"run:{run_id}:lease", "holder")
        return next(worker for worker in self.workers if f"-{worker.pid}-" in (holder or ""))

    def submission_for(self, *hosts: str) -> Submission:
        """A submission that lets addresses on these private hosts (`host:port`) pass."""
        settings = self.settings.model_copy(update={"crawl_allow": frozenset(hosts)})
        return Submission(settings, self.database, self.log, self.fleet)

    async def submit(self, workflow: str, value: Any) -> str:
        return (await self.submission.submit(workflow, value, WORKSPACE)).run_id

    async def write_post(self, topic: str = "cargo bikes and winter tyres", **brief: Any) -> str:
        """Order a post of three sections from the site of `add_read_site`; gives the run's id."""
        return await self.submit("write-post", {"site_id": SITE, "topic": topic, "length": "short", **brief})

    async def wait_for_events(self, run_id: str, seen: Seen) -> list[Event]:
        """The run's events, as soon as they are as `seen` wants them."""
        events: list[Event] = []

        async def looks_so() -> bool:
            nonlocal events
            events = await self.log.read(run_id)
            return seen(events)

        await until(looks_so, lambda: "\n".join(f"{e.id} {e.type} {e.step} {e.attempt} {e.epoch}" for e in events))
        return events

    async def wait_for_end(self, run_id: str) -> Run:
        await self.wait_for_events(run_id, lambda events: events[-1].type in END_TYPES)
        return await self.log.fold(run_id)

    async def wait_until_shipped(self, run_id: str) -> str:
        """Return when SQL has all that the hot log has; gives the last cursor."""
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
    """Return as soon as the condition holds. Where Redis does not answer at the moment, it does not hold."""
    give_up = time.monotonic() + DEADLINE
    while True:
        try:
            if await condition():
                return
        except (RedisError, OSError):
            pass  # the test has killed Redis, and looks on until it is there again
        if time.monotonic() > give_up:
            raise AssertionError(f"It did not happen within {DEADLINE:g} s. There is:\n{describe()}")
        await asyncio.sleep(LOOK_SECONDS)


@asynccontextmanager
async def product(settings: Settings, folder: Path, **environment: str) -> AsyncIterator[Product]:
    """The product without workers, with a site to write from. Workers that are still there at its end are killed."""
    given = {
        "LONGHAND_DATA_DIR": str(settings.data_dir),
        "LONGHAND_REDIS_URL": settings.redis_url,
        "LONGHAND_LEASE_SECONDS": "1.5",
        **environment,
    }
    opened = Product(settings, folder, given)
    try:
        await add_read_site(opened.database)
        yield opened
    finally:
        await opened.close()


def _bare_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("LONGHAND_")}
