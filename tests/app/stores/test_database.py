"""Transactions: writers wait for each other, and a block that raises is rolled back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col

from app.contract.ids import new_id
from app.stores import database as module
from app.stores.database import Database
from app.stores.tables import PageRow, SiteRow, Workspace

WRITERS = 20


@pytest.fixture
async def processes(database_url: str) -> AsyncIterator[list[Database]]:
    """The same database, opened several times as by several processes."""
    async with AsyncExitStack() as stack:
        opened = [Database(database_url) for _ in range(4)]
        for database in opened:
            stack.push_async_callback(database.close)
        yield opened


async def test_twenty_writers_at_once_all_write(database: Database, processes: list[Database]) -> None:
    """Each writer reads before it writes: a deferred transaction would fail with BUSY."""

    async def write(number: int) -> None:
        for _ in range(5):
            async with processes[number % len(processes)].writing() as session:
                await session.scalar(select(func.count()).select_from(Workspace))
                session.add(Workspace(id=new_id("ws")))

    await asyncio.gather(*(write(number) for number in range(WRITERS)))
    async with database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Workspace)) == WRITERS * 5


async def test_readers_do_not_wait_for_a_writer(database: Database, processes: list[Database]) -> None:
    async with processes[0].writing() as session:
        session.add(Workspace(id="ws_new"))
        await session.flush()
        async with database.reading() as reader:
            assert await reader.get(Workspace, "ws_new") is None
    async with database.reading() as reader:
        assert await reader.get(Workspace, "ws_new") is not None


async def test_a_block_that_raises_is_rolled_back(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.writing() as session:
            session.add(Workspace(id="ws_half"))
            await session.flush()
            raise ZeroDivisionError
    async with database.reading() as session:
        assert await session.get(Workspace, "ws_half") is None


async def test_a_reading_session_commits_nothing(database: Database) -> None:
    async with database.reading() as session:
        session.add(Workspace(id="ws_read"))
        await session.flush()
    async with database.reading() as session:
        assert await session.get(Workspace, "ws_read") is None


async def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError):
        async with database.writing() as session:
            session.add(SiteRow(id="site_x", workspace_id="nobody", run_id="r", url="https://a.test/"))


async def test_times_are_read_in_utc_and_none_as_none(database: Database) -> None:
    async with database.writing() as session:
        session.add(Workspace(id="ws_1"))
        await session.flush()
        session.add(SiteRow(id="site_1", workspace_id="ws_1", run_id="r", url="https://a.test/"))
        await session.flush()
        session.add(PageRow(id="page_1", site_id="site_1", url="https://a.test/", key_phrases=["a", {"b": None}]))
    async with database.reading() as session:
        site, page = await session.get(SiteRow, "site_1"), await session.get(PageRow, "page_1")
        assert site is not None and page is not None
        assert site.profile is None and site.topics is None
        assert site.created_at.utcoffset() is not None and site.created_at <= page.read_at
        assert page.key_phrases == ["a", {"b": None}]


async def test_text_with_nul_is_stored(database: Database) -> None:
    """An address or a page's text may contain NUL, which PostgreSQL cannot store."""
    async with database.reading() as session:
        assert await session.get(Workspace, "ws_\x00") is None
    async with database.writing() as session:
        session.add(Workspace(id="ws_a\x00b"))
    async with database.reading() as session:
        assert await session.get(Workspace, "ws_ab") is None
        assert await session.get(Workspace, "ws_a\x00b") is not None


async def test_frozen_process_keeps_no_row_locked(database_url: str) -> None:
    """PostgreSQL ends a transaction whose owner sends no more statements. SQLite cannot: the process owns its lock."""
    assert module.IDLE_TRANSACTION_MS >= 5_000
    opened = Database(database_url)
    try:
        if opened.is_sqlite:
            return
        async with opened.reading() as session:
            connection = await session.connection()
            shown = await connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout")
            assert shown.scalar() == f"{module.IDLE_TRANSACTION_MS // 1000}s"
        with pytest.raises(DBAPIError):
            async with opened.writing() as session:
                await session.scalar(select(col(Workspace.id)))
                await (await session.connection()).exec_driver_sql("SET idle_in_transaction_session_timeout = 1")
                await asyncio.to_thread(_wait_for_end, database_url)
                await session.scalar(select(col(Workspace.id)))
    finally:
        await opened.close()


def _wait_for_end(url: str) -> None:
    """Wait until no transaction of this database is open and idle."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        while connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'"
        ).fetchone() != (0,):
            pass
