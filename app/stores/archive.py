"""The archive: the part of the logs that is in SQL, with the state that lists show of their runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.contract.codec import Entry
from app.contract.cursors import START
from app.contract.run import Run
from app.contract.snapshot import snapshot_format
from app.stores.database import Database
from app.stores.repositories.drafts import delete_drafts
from app.stores.repositories.events import add_entries, has_entry, list_entries, search_entries
from app.stores.repositories.positions import ArchivePosition, find_positions, save_projections
from app.stores.repositories.snapshots import find_snapshots, list_stale_runs, save_snapshots
from app.stores.snapshots import Snapshot, load_snapshot


@dataclass(frozen=True, slots=True)
class Shipment:
    """New entries of one run, and its state after them.

    `shipped` is the position that the shipper found in SQL. `snapshot` is the row of the state as it is to be stored,
    None where it is not. `epoch` is the run's epoch in SQL before the entries were read from Redis: if a newer one has
    been minted since, Redis may have been lost in between, and the new holder may have continued without these entries,
    so they must not be archived. A shipment without entries need not name an epoch.
    """

    run: Run
    shipped: str
    entries: Sequence[Entry]
    snapshot: Mapping[str, object] | None = None
    epoch: int | None = None

    def fits(self, position: ArchivePosition | None) -> bool:
        """Return whether the run in SQL still is as the shipper found it."""
        return position is not None and self.shipped == position.shipped and self.epoch in (position.epoch, None)


class Archive:
    """Reads and writes archived logs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, run_id: str, after: str = START, before: str | None = None) -> list[Entry]:
        """Return the entries after one cursor and, where given, before another; in the log's order."""
        async with self._database.reading() as session:
            return await list_entries(session, run_id, after, before)

    async def holds(self, run_id: str, cursor: str) -> bool:
        """Return whether the cursor is an archived entry of the run."""
        async with self._database.reading() as session:
            return await has_entry(session, run_id, cursor)

    async def search(self, run_id: str, text: str) -> list[Entry]:
        """Return the archived entries that contain this text, in the log's order."""
        async with self._database.reading() as session:
            return await search_entries(session, run_id, text)

    async def shipped(self, run_id: str) -> str:
        """Return the cursor of the last archived entry."""
        return (await self.position(run_id)).shipped

    async def position(self, run_id: str) -> ArchivePosition:
        """Return how much of the run is in SQL."""
        return (await self.positions([run_id]))[run_id]

    async def positions(self, run_ids: Sequence[str]) -> dict[str, ArchivePosition]:
        """Return how much of each of these runs is in SQL."""
        async with self._database.reading() as session:
            found = await find_positions(session, run_ids)
        return {run_id: found.get(run_id, ArchivePosition()) for run_id in run_ids}

    async def snapshots(self, run_ids: Sequence[str]) -> dict[str, Snapshot]:
        """Return the stored folds of these runs, by run id, except those that this version cannot use."""
        async with self._database.reading() as session:
            rows = await find_snapshots(session, run_ids, snapshot_format())
        return {row.run_id: snapshot for row in rows if (snapshot := load_snapshot(row))}

    async def stale_snapshots(self) -> list[str]:
        """Return the ids of the runs whose stored fold was made by another version of the fold."""
        async with self._database.reading() as session:
            return await list_stale_runs(session, snapshot_format())

    async def ship(self, shipments: Sequence[Shipment]) -> list[str]:
        """Archive these entries and update their runs' rows, in one transaction; delete the drafts of ended runs.

        Return the ids of the runs that were shipped. A run that another shipper has shipped first, or that has a newer
        epoch by now, is left out.
        """
        async with self._database.writing() as session:
            positions = await find_positions(session, [shipment.run.id for shipment in shipments], lock=True)
            fitting = [shipment for shipment in shipments if shipment.fits(positions.get(shipment.run.id))]
            if fitting:
                await save_projections(session, [shipment.run for shipment in fitting])
                await add_entries(session, [(one.run.id, entry) for one in fitting for entry in one.entries])
                await save_snapshots(session, [shipment.snapshot for shipment in fitting if shipment.snapshot])
                await delete_drafts(session, [shipment.run.id for shipment in fitting if shipment.run.ended])
        return [shipment.run.id for shipment in fitting]
