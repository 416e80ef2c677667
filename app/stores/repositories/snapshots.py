"""Stored snapshots of runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import EventRow, SnapshotRow

_RUN_ID, _FORMAT = col(SnapshotRow.run_id), col(SnapshotRow.format)

_INSERT = insert(SnapshotRow)
_AT_ENTRY = and_(
    col(EventRow.run_id) == _RUN_ID,
    col(EventRow.ms) == col(SnapshotRow.ms),
    col(EventRow.seq) == col(SnapshotRow.seq),
)


async def save_snapshots(session: AsyncSession, rows: Sequence[Mapping[str, object]]) -> None:
    """Save these snapshots in place of older ones.

    The caller's transaction has archived what they hold and has locked their runs, so nobody else saves any of them.
    """
    if rows:
        await session.execute(delete(SnapshotRow).where(_RUN_ID.in_([row["run_id"] for row in rows])))
        await session.execute(_INSERT, [dict(row) for row in rows])


async def find_snapshots(session: AsyncSession, run_ids: Iterable[str], fold_format: str) -> list[SnapshotRow]:
    """Return the snapshots of these runs that have this format and stand at an entry that is archived."""
    query = select(SnapshotRow).join(EventRow, _AT_ENTRY).where(_RUN_ID.in_(list(run_ids)), _FORMAT == fold_format)
    return list(await session.scalars(query))


async def list_stale_runs(session: AsyncSession, fold_format: str) -> list[str]:
    """Return the ids of the runs whose snapshot has another format."""
    return list(await session.scalars(select(_RUN_ID).where(_FORMAT != fold_format).order_by(_RUN_ID)))
