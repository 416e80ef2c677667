"""Alembic's entry point. The address comes from our settings, never from an ini file."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection
from sqlmodel import SQLModel

from app.stores import tables  # noqa: F401  (fills the metadata)
from app.stores.database import Database


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


async def _upgrade() -> None:
    database = Database(context.config.attributes["url"])
    async with database.writing() as session:
        await (await session.connection()).run_sync(_run)
    await database.close()


asyncio.run(_upgrade())
