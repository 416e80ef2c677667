"""The cache of components' results in SQL, as one run reads and writes it."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from app.stores.database import Database
from app.stores.epochs import Epochs, Minted
from app.stores.tables import CacheRow, utc_now


class SqlCache:
    """Results by key, until they expire.

    A write of a stale epoch goes by its `epochs`, which raise `StaleEpoch` or end the run: another worker may have
    put a newer result there since.
    """

    def __init__(self, database: Database, epochs: Epochs, minted: Minted) -> None:
        self._database = database
        self._epochs = epochs
        self._minted = minted

    async def get(self, key: str) -> Any | None:
        async with self._database.reading() as session:
            row = await session.get(CacheRow, key)
        return row.value if row and row.expires_at > utc_now() else None

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None:
        async with self._epochs.fenced(self._minted.run_id, self._minted.epoch) as session:
            await session.execute(delete(CacheRow).where(col(CacheRow.expires_at) < utc_now()))
            expires = utc_now() + timedelta(seconds=ttl)
            with suppress(IntegrityError):  # another run has just put a result there, and that one is as good
                async with session.begin_nested():
                    await session.merge(CacheRow(key=key, scope=scope, value=value, expires_at=expires))
