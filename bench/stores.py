"""The real stores of one bench, in a folder of its own: Redis as `longhand up` runs it, and SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from app.contract.codec import Entry, encode_entry
from app.contract.events import RunSubmitted, now
from app.contract.ids import new_id
from app.contract.payloads import Submitted
from app.contract.settings import Settings
from app.stores import stores
from app.stores.database import migrate
from app.stores.repositories.runs import add_run
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import RunRow
from bench.processes import running_redis

WORKSPACE = "workspace_bench"


@dataclass(frozen=True)
class Stores(stores.Stores):
    """The stores, and the environment in which another process opens the same ones."""

    environment: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def running_stores(folder: Path) -> AsyncIterator[Stores]:
    """Start a new Redis, and create a database with one workspace."""
    async with running_redis(folder / "redis") as url:
        settings = Settings(data_dir=folder, redis_url=url, database_url="", _env_file=None)
        await migrate(settings)
        async with open_stores(settings) as opened:
            async with opened.database.writing() as session:
                await add_workspace(session, WORKSPACE)
            yield opened


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Open stores that exist."""
    environment = {"LONGHAND_REDIS_URL": settings.redis_url, "LONGHAND_DATA_DIR": str(settings.data_dir)}
    redis: Redis = Redis.from_url(settings.redis_url, decode_responses=True)
    opened = replace(Stores.connect(settings, redis), environment=environment)
    try:
        yield opened
    finally:
        await opened.close()


async def accept(stores: Stores, workflow: str, value: Any, count: int = 1) -> dict[str, Entry]:
    """Commit this many runs; return each one's first log entry, which `Log.submit` takes."""
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
