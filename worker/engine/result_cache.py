"""The cache of components' results, in SQL, as one run reads and writes it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from app.stores.database import Database
from app.stores.epochs import Epochs, Minted
from app.stores.repositories.cache import find_result, save_result
from app.stores.tables import CacheRow, utc_now


class SqlCache:
    """Results by key, until they expire.

    A write of a stale epoch raises `StaleEpoch`: somebody may have put a newer result there since.
    """

    def __init__(self, database: Database, epochs: Epochs, minted: Minted) -> None:
        self._database = database
        self._epochs = epochs
        self._minted = minted

    async def get(self, key: str) -> Any | None:
        async with self._database.reading() as session:
            row = await find_result(session, key)
        return row.value if row else None

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None:
        async with self._epochs.fenced(self._minted.run_id, self._minted.epoch) as session:
            expires_at = utc_now() + timedelta(seconds=ttl)
            await save_result(session, CacheRow(key=key, scope=scope, value=value, expires_at=expires_at))
