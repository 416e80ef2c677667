"""Cached results of components."""

from __future__ import annotations

from contextlib import suppress

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import CacheRow, utc_now


async def find_result(session: AsyncSession, key: str) -> CacheRow | None:
    """Return the cached result unless it has expired."""
    row = await session.get(CacheRow, key)
    return row if row and row.expires_at > utc_now() else None


async def save_result(session: AsyncSession, row: CacheRow) -> None:
    """Save a result in place of an older one, and delete all that have expired."""
    await session.execute(delete(CacheRow).where(col(CacheRow.expires_at) < utc_now()))
    with suppress(IntegrityError):  # another run has just saved one under this key, and that one is as good
        async with session.begin_nested():
            await session.merge(row)
