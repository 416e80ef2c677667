"""The cache of components' results, in SQL."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import col

from app.stores.database import Database
from app.stores.tables import CacheRow, utc_now


class SqlCache:
    """Results by key, until they expire."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> Any | None:
        async with self._database.reading() as session:
            row = await session.get(CacheRow, key)
        return row.value if row and row.expires_at > utc_now() else None

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None:
        async with self._database.writing() as session:
            await session.execute(delete(CacheRow).where(col(CacheRow.expires_at) < utc_now()))
            expires = utc_now() + timedelta(seconds=ttl)
            await session.merge(CacheRow(key=key, scope=scope, value=value, expires_at=expires))
