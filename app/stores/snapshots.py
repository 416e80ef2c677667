"""Folds kept in SQL beside the archive, so that a long log need not be read from its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy import and_, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.cursors import parse_cursor
from app.contract.run import Run
from app.contract.snapshot import dump_run, load_run, snapshot_format
from app.stores.tables import EventRow, SnapshotRow

_logger = structlog.get_logger(__name__)

_RUN_ID = col(SnapshotRow.run_id)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run's fold after `events` entries of its log. It is as of `run.cursor`, which is an archived entry."""

    run: Run
    events: int


def snapshot_row(run: Run, events: int) -> dict[str, object]:
    """What is stored of a fold."""
    ms, seq = parse_cursor(run.cursor)
    known = {"format": snapshot_format(), "body": dump_run(run)}
    return {"run_id": run.id, "ms": ms, "seq": seq, "events": events, **known}


async def save_snapshots(session: AsyncSession, rows: Sequence[Mapping[str, object]]) -> None:
    """Keep these, in place of what was there. The caller's transaction has just archived what they hold, and has
    locked their runs: whoever lost that race is not here."""
    if rows:
        await session.execute(delete(SnapshotRow).where(_RUN_ID.in_([row["run_id"] for row in rows])))
        await session.execute(insert(SnapshotRow), [dict(row) for row in rows])


async def find_snapshots(session: AsyncSession, run_ids: Iterable[str]) -> dict[str, Snapshot]:
    """The snapshots of these runs, where there are any that can be used: of this version, whole, and at an entry that
    is archived. Any other is passed over."""
    at_entry = and_(
        col(EventRow.run_id) == _RUN_ID,
        col(EventRow.ms) == col(SnapshotRow.ms),
        col(EventRow.seq) == col(SnapshotRow.seq),
    )
    query = (
        select(SnapshotRow)
        .join(EventRow, at_entry)
        .where(_RUN_ID.in_(list(run_ids)), col(SnapshotRow.format) == snapshot_format())
    )
    found = {}
    for row in await session.scalars(query):
        run = load_run(row.body)
        if run is None or run.id != row.run_id or run.cursor != f"{row.ms}-{row.seq}":
            _logger.warning("snapshot not readable", run=row.run_id)
            continue
        found[row.run_id] = Snapshot(run, row.events)
    return found


async def stale_snapshots(session: AsyncSession) -> list[str]:
    """The runs whose snapshot another version of the fold has made."""
    query = select(_RUN_ID).where(col(SnapshotRow.format) != snapshot_format()).order_by(_RUN_ID)
    return list(await session.scalars(query))
