"""The schema, on both databases."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlmodel import SQLModel

from app.stores import tables
from app.stores.database import Database, migrate
from tests.app.stores.postgres import PostgresServer
from tests.conftest import make_settings


async def test_migrated_schema_equals_the_tables(database: Database) -> None:
    def compare(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"include_object": _is_ours})
        return list(compare_metadata(context, SQLModel.metadata))

    assert tables.RunRow.metadata is SQLModel.metadata
    async with database.reading() as session:
        connection = await session.connection()
        assert await connection.run_sync(compare) == []


def _is_ours(_item: object, name: str | None, _kind: str, _reflected: bool, _other: object) -> bool:
    # The full-text index is made by hand, and SQLite keeps it in tables of its own.
    return not (name or "").startswith("passages_text")


async def test_migrating_again_changes_nothing(database_url: str, database: Database) -> None:
    await migrate(make_settings(database_url=database_url))
    async with database.reading() as session:
        assert (await session.connection()).dialect.name in database_url


async def test_migration_creates_a_database_in_a_folder_with_special_characters(tmp_path: Path) -> None:
    settings = make_settings(data_dir=tmp_path / "50% of a näme")
    await migrate(settings)
    assert (settings.data_dir / "longhand.db").exists()


async def test_plain_postgresql_address_is_enough(postgres: PostgresServer) -> None:
    with postgres.new_database() as url:
        await migrate(make_settings(database_url=url.replace("+psycopg", "")))


def test_opening_a_database_does_not_load_alembic() -> None:
    program = "import sys, app.stores.database; sys.exit('alembic' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
