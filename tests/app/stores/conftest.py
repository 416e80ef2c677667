"""The store suite runs on every Redis program of this machine, and on SQLite and PostgreSQL both."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.contract.settings import Settings
from app.stores.connection import CLIENT_OPTIONS
from app.stores.database import Database, migrate
from tests.app.stores.postgres import PostgresServer, running_postgres
from tests.app.stores.redis_servers import find_servers, running_durable, running_program
from tests.app.stores.stores import Stores
from tests.conftest import KEEP_MS, LEASE_MS, make_settings
from tests.support.redis_server import RedisServer

PROGRAMS = find_servers()


@pytest.fixture(scope="session", params=list(PROGRAMS.values()), ids=list(PROGRAMS))
def redis_program(request: pytest.FixtureRequest) -> Path:
    program: Path = request.param
    return program


@pytest.fixture(scope="session")
def redis_server(redis_program: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_program(redis_program, tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def durable_redis(redis_program: Path, tmp_path: Path) -> Iterator[RedisServer]:
    """A server of the test's own that loses nothing in a `kill -9` and a restart."""
    folder = tmp_path / "durable"
    folder.mkdir()
    with running_durable(redis_program, folder) as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for this test process."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_postgres(postgres: PostgresServer) -> Iterator[str]:
    """One migrated database for this test process; tests clear it."""
    with postgres.new_database() as url:
        asyncio.run(migrate(make_settings(database_url=url)))
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A migrated database, empty and the test's own."""
    if request.param == "sqlite":
        file = tmp_path / "longhand.db"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        yield f"sqlite+aiosqlite:///{file}"
    else:
        url = request.getfixturevalue("migrated_postgres")
        yield url
        request.getfixturevalue("postgres").clear(url)


@pytest.fixture
def settings(tmp_path: Path, redis_server: RedisServer, database_url: str) -> Settings:
    return make_settings(data_dir=tmp_path, redis_url=redis_server.url, database_url=database_url)


@pytest.fixture
async def durable_client(durable_redis: RedisServer) -> AsyncIterator[Redis]:
    client: Redis = Redis.from_url(durable_redis.url, **CLIENT_OPTIONS)
    yield client
    await client.aclose()


@pytest.fixture
def stores(redis: Redis, database: Database) -> Stores:
    return Stores.over(redis, database, lease_ms=LEASE_MS, keep_ms=KEEP_MS)
