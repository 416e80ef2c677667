"""Archived events of runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.codec import Entry
from app.contract.cursors import parse_cursor
from app.stores.tables import EventRow

_RUN_ID, _MS, _SEQ = col(EventRow.run_id), col(EventRow.ms), col(EventRow.seq)

_INSERT = insert(EventRow)
_ENTRIES = select(_MS, _SEQ, col(EventRow.body)).order_by(_MS, _SEQ)


async def add_entries(session: AsyncSession, entries: Sequence[tuple[str, Entry]]) -> None:
    """Archive these pairs of a run's id and an entry of its log."""
    if entries:
        connection = await session.connection()
        await connection.execute(_INSERT, [_row(run_id, *entry) for run_id, entry in entries])


def _row(run_id: str, cursor: str, body: str) -> dict[str, object]:
    ms, seq = parse_cursor(cursor)
    return {"run_id": run_id, "ms": ms, "seq": seq, "body": body}


async def list_entries(session: AsyncSession, run_id: str, after: str, before: str | None = None) -> list[Entry]:
    """Return the run's entries after one cursor and, where given, before another; in the log's order."""
    ms, seq = parse_cursor(after)
    query = _ENTRIES.where(_RUN_ID == run_id, or_(ms < _MS, and_(_MS == ms, seq < _SEQ)))
    if before is not None:
        ms, seq = parse_cursor(before)
        query = query.where(or_(ms > _MS, and_(_MS == ms, seq > _SEQ)))
    return [(f"{ms}-{seq}", body) for ms, seq, body in await session.execute(query)]


async def search_entries(session: AsyncSession, run_id: str, text: str) -> list[Entry]:
    """Return the run's entries that contain this text, in the log's order."""
    query = _ENTRIES.where(_RUN_ID == run_id, col(EventRow.body).contains(text, autoescape=True))
    return [(f"{ms}-{seq}", body) for ms, seq, body in await session.execute(query)]


async def has_entry(session: AsyncSession, run_id: str, cursor: str) -> bool:
    """Return whether the cursor is an archived entry of the run."""
    return await session.get(EventRow, (run_id, *parse_cursor(cursor))) is not None
