"""The kept part of the logs: events in SQL, and what lists show of their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, bindparam, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.cursors import START, parse_cursor
from app.contract.run import Run
from app.contract.status import lease_state
from app.stores.database import Database
from app.stores.repositories.drafts import delete_drafts
from app.stores.snapshots import Snapshot, find_snapshots, save_snapshots, stale_snapshots
from app.stores.tables import EventRow, RunRow

Entry = tuple[str, str]
"""A cursor, and the event's JSON as it stood in the stream."""

_MS, _SEQ = col(EventRow.ms), col(EventRow.seq)

_PROJECT = update(RunRow).where(col(RunRow.id) == bindparam("of_run"))
_INSERT = insert(EventRow)


@dataclass(frozen=True, slots=True)
class Position:
    """How far SQL has a run: the cursor of its last archived entry, its state then ("queued", "parked" or "ended"; ""
    where there is no such run), and its newest epoch."""

    shipped: str = START
    state: str = ""
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Shipment:
    """New entries of one run, and its state after them. `shipped` is what the shipper found in SQL, `snapshot` that
    state as it is to be stored, where it is.

    `epoch` is the one that stood in SQL before the entries were read from Redis. When a newer one has been minted
    meanwhile, Redis may have been lost in between, and its holder gone on without these entries: they are history that
    did not happen. Who ships no entries need not say it.
    """

    run: Run
    shipped: str
    entries: Sequence[Entry]
    snapshot: Mapping[str, object] | None = None
    epoch: int | None = None

    def fits(self, shipped: str, epoch: int) -> bool:
        """Whether SQL still stands where the shipper found it."""
        return self.shipped == shipped and self.epoch in (epoch, None)


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

    async def search(self, run_id: str, text: str) -> list[Entry]:
        """The archived entries that contain this text, in the log's order."""
        query = select(_MS, _SEQ, col(EventRow.body)).where(
            col(EventRow.run_id) == run_id, col(EventRow.body).contains(text, autoescape=True)
        )
        async with self._database.reading() as session:
            rows = await session.execute(query.order_by(_MS, _SEQ))
            return [(f"{ms}-{seq}", body) for ms, seq, body in rows]

    async def shipped(self, run_id: str) -> str:
        """The cursor of the last archived entry."""
        return (await self.position(run_id)).shipped

    async def position(self, run_id: str) -> Position:
        """How far SQL has the run."""
        return (await self.positions([run_id]))[run_id]

    async def positions(self, run_ids: Sequence[str]) -> dict[str, Position]:
        """How far SQL has each of these runs."""
        query = select(col(RunRow.id), col(RunRow.shipped), col(RunRow.status), col(RunRow.epoch))
        async with self._database.reading() as session:
            rows = await session.execute(query.where(col(RunRow.id).in_(run_ids)))
            found = {run_id: Position(shipped, lease_state(status), epoch) for run_id, shipped, status, epoch in rows}
        return {run_id: found.get(run_id, Position()) for run_id in run_ids}

    async def snapshots(self, run_ids: Sequence[str]) -> dict[str, Snapshot]:
        """The stored folds of these runs, where there are any that this version can use."""
        async with self._database.reading() as session:
            return await find_snapshots(session, run_ids)

    async def stale_snapshots(self) -> list[str]:
        """The runs whose stored fold is of no use to this version."""
        async with self._database.reading() as session:
            return await stale_snapshots(session)

    async def ship(self, shipments: Sequence[Shipment]) -> list[str]:
        """Archive these entries and project their runs' state, in one transaction. With a run's end go its drafts.

        Gives the ids of the runs that were shipped; one that another shipper was quicker with, or that has a newer
        epoch by now, is left out.
        """
        ids = [shipment.run.id for shipment in shipments]
        # Always in the same order: two shippers that wait for each other's rows would end in a deadlock.
        standing = select(col(RunRow.id), col(RunRow.shipped), col(RunRow.epoch)).where(col(RunRow.id).in_(ids))
        async with self._database.writing() as session:
            standings = await session.execute(standing.order_by(col(RunRow.id)).with_for_update())
            found = {run_id: (shipped, epoch) for run_id, shipped, epoch in standings}
            fitting = [shipment for shipment in shipments if shipment.fits(*found.get(shipment.run.id, ("", 0)))]
            if fitting:
                connection = await session.connection()
                await connection.execute(_PROJECT, [_projection(shipment.run) for shipment in fitting])
                rows = [_row(shipment.run.id, *entry) for shipment in fitting for entry in shipment.entries]
                if rows:
                    await connection.execute(_INSERT, rows)
                await save_snapshots(session, [shipment.snapshot for shipment in fitting if shipment.snapshot])
                await delete_drafts(session, [shipment.run.id for shipment in fitting if shipment.run.ended])
        return [shipment.run.id for shipment in fitting]


async def _read(session: AsyncSession, run_id: str, after: str, before: str | None) -> list[Entry]:
    ms, seq = parse_cursor(after)
    later = or_(ms < _MS, and_(_MS == ms, seq < _SEQ))
    query = select(_MS, _SEQ, col(EventRow.body)).where(col(EventRow.run_id) == run_id, later)
    if before is not None:
        ms, seq = parse_cursor(before)
        query = query.where(or_(ms > _MS, and_(_MS == ms, seq > _SEQ)))
    rows = await session.execute(query.order_by(_MS, _SEQ))
    return [(f"{ms}-{seq}", body) for ms, seq, body in rows]


def _projection(run: Run) -> dict[str, object]:
    return {
        "of_run": run.id,
        "shipped": run.cursor,
        "status": run.status.value,
        "sealed": run.ended,
        "tokens": run.tokens,
        "cost": run.cost,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "worked": run.work.seconds,
        "working_since": run.work.since,
    }


def _row(run_id: str, cursor: str, body: str) -> dict[str, object]:
    ms, seq = parse_cursor(cursor)
    return {"run_id": run_id, "ms": ms, "seq": seq, "body": body}
