"""The kept part of the logs: events in SQL, and what lists show of their runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.cursors import START, parse_cursor
from app.contract.fold import Run
from app.stores.database import Database
from app.stores.tables import EventRow, RunRow

Entry = tuple[str, str]
"""A cursor, and the event's JSON as it stood in the stream."""

_MS, _SEQ = col(EventRow.ms), col(EventRow.seq)


@dataclass(frozen=True, slots=True)
class Shipment:
    """New entries of one run, and its state after them. `shipped` is what the shipper found in SQL."""

    run: Run
    shipped: str
    entries: Sequence[Entry]


class Archive:
    """Reads and writes archived logs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, run_id: str, after: str = START, before: str | None = None) -> list[Entry]:
        """The entries after one cursor and, where given, before another; in the log's order."""
        async with self._database.reading() as session:
            return await _read(session, run_id, after, before)

    async def holds(self, run_id: str, cursor: str) -> bool:
        """Whether the cursor is an archived entry of the run."""
        ms, seq = parse_cursor(cursor)
        async with self._database.reading() as session:
            return await session.get(EventRow, (run_id, ms, seq)) is not None

    async def shipped(self, run_id: str) -> str:
        """The cursor of the last archived entry."""
        async with self._database.reading() as session:
            return (await session.scalar(select(col(RunRow.shipped)).where(col(RunRow.id) == run_id))) or START

    async def ship(self, shipments: Sequence[Shipment]) -> list[str]:
        """Archive these entries and project their runs' state, in one transaction.

        Gives the ids of the runs that were shipped; one that another shipper was quicker with is left out.
        """
        done: list[str] = []
        async with self._database.writing() as session:
            # Always in the same order: two shippers that wait for each other's rows would end in a deadlock.
            for shipment in sorted(shipments, key=lambda shipment: shipment.run.id):
                if await _advance(session, shipment):
                    done.append(shipment.run.id)
                    await session.execute(insert(EventRow), [_row(shipment.run.id, *e) for e in shipment.entries])
        return done


async def _read(session: AsyncSession, run_id: str, after: str, before: str | None) -> list[Entry]:
    ms, seq = parse_cursor(after)
    later = or_(ms < _MS, and_(_MS == ms, seq < _SEQ))
    query = select(EventRow).where(col(EventRow.run_id) == run_id, later)
    if before is not None:
        ms, seq = parse_cursor(before)
        query = query.where(or_(ms > _MS, and_(_MS == ms, seq > _SEQ)))
    rows = await session.scalars(query.order_by(_MS, _SEQ))
    return [(f"{row.ms}-{row.seq}", row.body) for row in rows]


async def _advance(session: AsyncSession, shipment: Shipment) -> bool:
    run = shipment.run
    statement = (
        update(RunRow)
        .where(col(RunRow.id) == run.id, col(RunRow.shipped) == shipment.shipped)
        .values(
            shipped=run.cursor,
            status=run.status.value,
            sealed=run.ended,
            tokens=run.tokens,
            cost=run.cost,
            started_at=run.started_at,
            ended_at=run.ended_at,
        )
    )
    result = await session.execute(statement)
    assert isinstance(result, CursorResult)
    return bool(result.rowcount)


def _row(run_id: str, cursor: str, body: str) -> dict[str, object]:
    ms, seq = parse_cursor(cursor)
    return {"run_id": run_id, "ms": ms, "seq": seq, "body": body}


def archived(run_id: str, cursor: str, body: str) -> EventRow:
    """An entry as a row; for the first one, which is committed with its run."""
    ms, seq = parse_cursor(cursor)
    return EventRow(run_id=run_id, ms=ms, seq=seq, body=body)
