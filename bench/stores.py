"""The real stores of one bench, in a folder of its own: Redis as `longhand up` runs it, and SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from app.contract.codec import Entry, encode_entry
from app.contract.events import RunSubmitted, now
from app.contract.ids import new_id
from app.contract.payloads import Submitted
from app.contract.settings import Settings
from app.stores.archive import Archive
from app.stores.database import Database, migrate
from app.stores.log import Log
from app.stores.repositories.runs import add_run
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import RunRow
from bench.processes import running_redis

WORKSPACE = "workspace_bench"


@dataclass(frozen=True)
class Stores:
    """What a process of ours has open, and the settings that open the same elsewhere."""

    settings: Settings
    redis: Any
    database: Database
    archive: Archive
    log: Log

    @property
    def environment(self) -> dict[str, str]:
        """What another process is to be started with."""
        return {"LONGHAND_REDIS_URL": self.settings.redis_url, "LONGHAND_DATA_DIR": str(self.settings.data_dir)}


@asynccontextmanager
async def running_stores(folder: Path) -> AsyncIterator[Stores]:
    """A new Redis and a new database with one workspace."""
    async with running_redis(folder / "redis") as url:
        settings = Settings(data_dir=folder, redis_url=url, database_url="", _env_file=None)
        await migrate(settings)
        async with open_stores(settings) as stores:
            async with stores.database.writing() as session:
                await add_workspace(session, WORKSPACE)
            yield stores


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Stores that are there."""
    redis: Redis = Redis.from_url(settings.redis_url, decode_responses=True)
    database = Database(settings.resolved_database_url)
    archive = Archive(database)
    try:
        yield Stores(settings, redis, database, archive, Log(redis, archive))
    finally:
        await redis.aclose()
        await database.close()


async def accept(stores: Stores, workflow: str, value: Any, count: int = 1) -> dict[str, Entry]:
    """Commit this many runs. Return the first entry of each one's log, which `Log.submit` takes."""
    accepted = {}
    async with stores.database.writing() as session:
        for _ in range(count):
            moment = now() - timedelta(milliseconds=1)
            data = Submitted(workflow=workflow, title="A bench", input=value)
            cursor = f"{int(moment.timestamp() * 1000)}-0"
            submitted = encode_entry(RunSubmitted(id=cursor, at=moment, data=data))
            row = RunRow(id=new_id("run"), workspace_id=WORKSPACE, workflow=workflow, title="A bench", input=value)
            await add_run(session, row, submitted)
            accepted[row.id] = submitted
    return accepted
