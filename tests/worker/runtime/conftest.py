"""Fixtures of the runtime's tests, which run on each kind of log: in memory, and on the real stores."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.stores.database import Database
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import Workspace
from tests.app.stores.stores import Stores
from tests.conftest import KEEP_MS, LEASE_MS
from tests.worker.runtime.harness import Driver, MemoryHarness
from tests.worker.runtime.stores_harness import WORKSPACE, StoresHarness


@pytest.fixture(scope="session")
def shared_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one database file for all tests of this process: each has runs of its own."""
    file = tmp_path_factory.mktemp("runtime") / "longhand.db"
    shutil.copy(migrated_file, file)
    return file


@pytest.fixture
def memory_harness() -> MemoryHarness:
    return MemoryHarness()


@pytest.fixture
async def stores_harness(redis: Redis, shared_file: Path) -> AsyncIterator[StoresHarness]:
    async with AsyncExitStack() as stack:
        database = Database(f"sqlite+aiosqlite:///{shared_file}")
        stack.push_async_callback(database.close)
        async with database.writing() as session:
            if await session.get(Workspace, WORKSPACE) is None:
                await add_workspace(session, WORKSPACE)
        yield StoresHarness(Stores.over(redis, database, lease_ms=LEASE_MS, keep_ms=KEEP_MS), stack)


@pytest.fixture(params=["memory", "stores"])
def harness(request: pytest.FixtureRequest) -> Driver:
    """Return a run on each kind of log."""
    return Driver(request.getfixturevalue(f"{request.param}_harness"))
