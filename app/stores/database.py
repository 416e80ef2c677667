"""The SQL database, SQLite or PostgreSQL: one engine a process, one transaction a `reading` or `writing` block."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from psycopg.abc import Buffer
from psycopg.types.string import StrDumperUnknown
from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.contract.settings import Settings
from app.stores.schema_version import MIGRATIONS

IDLE_TRANSACTION_MS = 10_000
"""After this long (ms) without a statement, PostgreSQL ends a transaction: a frozen worker keeps no row locked."""


class Database:
    """Sessions of one database."""

    def __init__(self, url: str) -> None:
        self.engine = _create_engine(url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = self.engine.execution_options(writes=True)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """Open a session that sees one snapshot and commits nothing."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            yield session

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncSession]:
        """Open a session that commits at the end of the block, and rolls back when the block raises."""
        async with AsyncSession(self._writer, expire_on_commit=False) as session, session.begin():
            yield session

    async def ping(self) -> None:
        """Run a query. Raise what SQLAlchemy raises when the database does not answer."""
        async with self.reading() as session:
            await session.execute(text("SELECT 1"))

    async def close(self) -> None:
        await self.engine.dispose()


class _Connection(sqlite3.Connection):
    """A connection that releases its lock when it is closed."""

    def close(self) -> None:
        # SQLite keeps a closed connection alive while there is a reference to a statement of it, as in the traceback of
        # a cancelled task: its transaction would stay open and lock the file.
        if self.in_transaction:
            self.rollback()
        super().close()


def _create_engine(url: str) -> AsyncEngine:
    if make_url(url).get_backend_name() != "sqlite":
        options = f"-c idle_in_transaction_session_timeout={IDLE_TRANSACTION_MS}"
        engine = create_async_engine(
            url, pool_size=10, max_overflow=20, pool_pre_ping=True, connect_args={"options": options}
        )
        event.listen(engine.sync_engine, "connect", _prepare_postgres)
        return engine
    path = make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(url, connect_args={"timeout": 30, "factory": _Connection})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


class _TextDumper(StrDumperUnknown):
    """A dumper that replaces NUL, which PostgreSQL cannot store, by SUBSTITUTE, which is as invalid inside JSON."""

    def dump(self, obj: str) -> Buffer | None:
        return super().dump(obj.replace("\x00", "\x1a"))


def _prepare_postgres(connection: Any, _record: object) -> None:
    connection.driver_connection.adapters.register_dumper(str, _TextDumper)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late and is always deferred: `_begin_sqlite` sends it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads and then writes fails with BUSY at once, whatever the timeout.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


async def migrate(settings: Settings) -> None:
    """Bring the database to this version's schema."""
    await asyncio.to_thread(_upgrade, settings.resolved_database_url)


def _upgrade(url: str) -> None:
    # Imported here, as every process opens databases and only one migrates them.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["url"] = url
    command.upgrade(config, "head")
