"""Fixtures that tests share: a real Redis server for each test process, a migrated database for each test."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from app.contract.settings import Settings
from app.stores.archive import Archive
from app.stores.connection import CLIENT_OPTIONS
from app.stores.database import Database, migrate
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log
from app.stores.stores import Stores
from tests.support.redis_server import RedisServer, running_redis

LEASE_MS = 10_000

KEEP_MS = 60_000
"""How long a log that is sealed in SQL stays in Redis."""

# Settings in the environment are for somebody's own Longhand, not for the tests.
for _name in [name for name in os.environ if name.startswith("LONGHAND_")]:
    del os.environ[_name]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one file in one process of xdist, unless they are marked with another group."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(item.nodeid.partition("::")[0]))


def make_settings(**values: Any) -> Settings:
    """Return settings that no `.env` changes."""
    return Settings(_env_file=None, **values)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for this test process. Do not kill it: a test that kills a server takes `own_redis`."""
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server for this test alone, to kill and start again; it comes back empty."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with running_redis(folder) as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file with the schema; tests copy it."""
    folder = tmp_path_factory.mktemp("schema")
    settings = make_settings(data_dir=folder)
    asyncio.run(migrate(settings))
    return folder / "longhand.db"


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer, migrated_file: Path) -> Settings:
    """Settings with a data folder for this test alone, its database migrated."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    shutil.copy(migrated_file, data_dir / "longhand.db")
    return make_settings(data_dir=data_dir, redis_url=redis_server.url)


@pytest.fixture
async def redis(redis_server: RedisServer) -> AsyncIterator[Redis]:
    """A client of an empty server."""
    client: Redis = Redis.from_url(redis_server.url, **CLIENT_OPTIONS)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Database]:
    opened = Database(settings.resolved_database_url)
    yield opened
    await opened.close()


@pytest.fixture
def stores(redis: Redis, database: Database) -> Stores:
    return Stores.over(redis, database, lease_ms=LEASE_MS, keep_ms=KEEP_MS)


@pytest.fixture
def archive(stores: Stores) -> Archive:
    return stores.archive


@pytest.fixture
def log(stores: Stores) -> Log:
    return stores.log


@pytest.fixture
def leases(stores: Stores) -> Leases:
    return stores.leases


@pytest.fixture
def epochs(stores: Stores) -> Epochs:
    return stores.epochs


@pytest.fixture
def fleet(stores: Stores) -> Fleet:
    return stores.fleet
