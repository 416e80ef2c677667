"""A run that a test writes itself, through the real stores: submitted, taken, and appended to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from app.contract.events import (
    Event,
    RunStarted,
    RunSubmitted,
    RunSucceeded,
    StepOutput,
    StepRetrying,
    StepStarted,
    StepSucceeded,
)
from app.contract.payloads import ErrorData, Output, Result, Retrying, Started, StepBegun, StepDone, Submitted
from app.contract.run import Run
from app.contract.settings import Settings
from app.contract.status import new_id
from app.stores.archive import Archive, Shipment
from app.stores.database import Database, migrate
from app.stores.epochs import Epochs
from app.stores.leases import Leases
from app.stores.log import Log, Release
from app.stores.repositories.runs import accept_run
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import RunRow

WORKSPACE = "workspace_1"
LEASE_MS = 600_000


class Stores:
    """Redis and SQL, as a process of ours has them."""

    def __init__(self, redis_url: str, database_url: str) -> None:
        self.redis: Redis = Redis.from_url(redis_url, decode_responses=True)
        self.database = Database(database_url)
        self.archive = Archive(self.database)
        self.log = Log(self.redis, self.archive)

    async def close(self) -> None:
        await self.redis.aclose()
        await self.database.close()


@asynccontextmanager
async def open_stores(redis_url: str, folder: Path) -> AsyncIterator[Stores]:
    """Migrated stores with one workspace."""
    settings = Settings(data_dir=folder, redis_url=redis_url)
    await migrate(settings)
    stores = Stores(redis_url, settings.resolved_database_url)
    async with stores.database.writing() as session:
        await add_workspace(session, WORKSPACE)
    try:
        yield stores
    finally:
        await stores.close()


class Writer:
    """Writes one run's log."""

    def __init__(self, stores: Stores, run_id: str) -> None:
        self.run_id = run_id
        self._stores = stores
        self._epoch = self._number = 0
        self._lengths: dict[tuple[str, int], int] = {}

    @classmethod
    async def submit(cls, stores: Stores) -> Writer:
        """Submit a run, take it and start it."""
        run_id, cursor = new_id("run"), await _next_cursor(stores)
        submitted = RunSubmitted(id=cursor, data=Submitted(workflow="write-post", title="A post"))
        row = RunRow(id=run_id, workspace_id=WORKSPACE, workflow="write-post", title="A post", input={})
        async with stores.database.writing() as session:
            await accept_run(session, row, submitted)
        await stores.log.submit(run_id, submitted)
        writer = cls(stores, run_id)
        await writer.take()
        return writer

    async def take(self) -> None:
        minted = await Epochs(self._stores.database).mint(self.run_id)
        assert minted is not None
        self._epoch, self._number = minted.epoch, 0
        leases = Leases(self._stores.redis, LEASE_MS)
        assert await leases.take(self.run_id, self._epoch, "writer", "write-post", "1") is not None
        await self.append(RunStarted(data=Started(workflow="write-post", version="1")))

    async def append(self, *events: Event, release: Release = "") -> list[str]:
        self._number += 1
        stamped = [event.model_copy(update={"epoch": self._epoch}) for event in events]
        floor = await self._stores.archive.shipped(self.run_id)
        return await self._stores.log.append(
            self.run_id, self._epoch, self._number, stamped, lease_ms=LEASE_MS, floor=floor, release=release
        )

    async def begin(self, step: str, attempt: int = 1) -> str:
        started = StepStarted(step=step, attempt=attempt, data=StepBegun(component=step.rpartition("/")[2]))
        return (await self.append(started))[0]

    async def write(self, step: str, text: str, attempt: int = 1) -> str:
        offset = self._lengths.get((step, attempt), 0)
        self._lengths[step, attempt] = offset + len(text)
        return (await self.append(StepOutput(step=step, attempt=attempt, data=Output(offset=offset, text=text))))[0]

    async def retry(self, step: str, attempt: int) -> None:
        error = ErrorData(kind="Boom", message="It broke.", step=step)
        await self.append(StepRetrying(step=step, attempt=attempt, data=Retrying(error=error)))
        await self.begin(step, attempt + 1)

    async def succeed(self, step: str, attempt: int = 1) -> None:
        await self.append(StepSucceeded(step=step, attempt=attempt, data=StepDone(result="ok")))

    async def end(self) -> None:
        await self.append(RunSucceeded(data=Result(output="ok")), release="ended")

    async def ship(self) -> None:
        """Archive all there is, as a supervisor would."""
        shipped = await self._stores.archive.shipped(self.run_id)
        entries: Sequence[tuple[str, str]] = await self._stores.log.entries(self.run_id, shipped)
        await self._stores.archive.ship([Shipment(await self.fold(), shipped, entries)])

    async def fold(self) -> Run:
        return await self._stores.log.fold(self.run_id)

    async def texts(self) -> dict[str, str]:
        """Return the text that a page must show of each step."""
        steps = (await self.fold()).steps
        return {path: step.counting.text for path, step in steps.items() if step.counting}


async def _next_cursor(stores: Stores) -> str:
    seconds, micros = await stores.redis.time()
    return f"{seconds * 1000 + micros // 1000}-0"
