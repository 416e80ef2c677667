"""Shipping: the hot logs go to SQL while the runs go on, and are sealed at their end."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.contract.codec import Entry, decode_event
from app.contract.cursors import is_after
from app.contract.run import Run
from app.stores.archive import Archive, Shipment
from app.stores.log import Log
from app.stores.snapshots import snapshot_row
from app.stores.unshipped import Unshipped
from worker.engine.error_reporting import LoopErrors
from worker.engine.snapshot_refresher import SnapshotRefresher

PAUSE_SECONDS = 0.25
RUNS_AT_ONCE = 50
FOLDS_KEPT = 200
SNAPSHOT_EVENTS = 500
"""A fold is stored again after so many events, or a twentieth of the log where that is more."""
SEALED_EVENTS = 200
"""An ended run's fold is stored when as many events lack in its snapshot."""


@dataclass(slots=True)
class KnownFold:
    """A fold, how many events it holds, and how many of them its stored snapshot holds."""

    run: Run
    events: int = 0
    stored: int = 0

    def is_worth_storing(self) -> bool:
        new = self.events - self.stored
        return new >= (SEALED_EVENTS if self.run.ended else max(SNAPSHOT_EVENTS, self.events // 20))


class Archiver:
    """Ships what is unshipped, many runs to a transaction. Any number of these may work side by side."""

    def __init__(self, log: Log, archive: Archive, unshipped: Unshipped) -> None:
        self._log = log
        self._archive = archive
        self._unshipped = unshipped
        self._folds: OrderedDict[str, KnownFold] = OrderedDict()
        self._renewal = SnapshotRefresher(archive)
        self._troubles = LoopErrors()

    async def ship_forever(self) -> None:
        """Ship, until cancelled. Whatever fails is tried again."""
        while True:
            try:
                while await self.ship() == RUNS_AT_ONCE:
                    pass
                await self._renewal.renew_one()
            except Exception as error:
                self._troubles.tell("shipping failed", error)
                self._folds.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    async def ship(self) -> int:
        """Ship what is there now; gives how many runs that was."""
        claimed = await self._unshipped.claim(RUNS_AT_ONCE)
        if not claimed:
            return 0
        prepared = await self._prepare(claimed)
        done, failed = await self._archive_all([shipment for _, shipment in prepared if shipment.entries])
        settled = [(kept, shipment) for kept, shipment in prepared if kept.run.id not in failed]
        await asyncio.gather(*(self._settle(kept, shipment, done) for kept, shipment in settled))
        return len(claimed)

    async def _settle(self, kept: KnownFold, shipment: Shipment, done: set[str]) -> None:
        if shipment.entries and kept.run.id not in done:
            # Another was quicker, or the run was taken meanwhile: neither this fold nor its snapshot counts.
            await self._unshipped.release_claim(kept.run.id)
            return
        if shipment.snapshot:
            kept.stored = kept.events
        await self._unshipped.mark_shipped(kept.run.id, kept.run.cursor, sealed=kept.run.ended)
        self._keep(kept)

    async def _archive_all(self, shipments: list[Shipment]) -> tuple[set[str], set[str]]:
        """Archive in one transaction; where that fails, each by itself: no run keeps back the others.

        Gives the runs that were archived, and those that could not be: they stay claimed, and are tried again later.
        """
        if not shipments:
            return set(), set()
        try:
            return set(await self._archive.ship(shipments)), set()
        except Exception:
            if len(shipments) == 1:
                raise
        done: set[str] = set()
        failed: set[str] = set()
        for shipment in shipments:
            try:
                done.update(await self._archive.ship([shipment]))
            except Exception as error:
                self._troubles.tell("run not shipped", error, run=shipment.run.id)
                failed.add(shipment.run.id)
        return done, failed

    async def _prepare(self, run_ids: Sequence[str]) -> list[tuple[KnownFold, Shipment]]:
        """What each of these runs has that SQL lacks."""
        positions = await self._archive.positions(run_ids)
        folds = await self._resume({run_id: position.shipped for run_id, position in positions.items()})
        logs = await self._log.entries_of({run_id: kept.run.cursor for run_id, kept in folds.items()})
        prepared = []
        for run_id, entries in logs.items():
            kept, position = folds[run_id], positions[run_id]
            try:
                if isinstance(entries, Exception):
                    raise entries
                _apply(kept, entries)
                fresh = [entry for entry in entries if is_after(entry[0], position.shipped)]
                snapshot = snapshot_row(kept.run, kept.events) if fresh and kept.is_worth_storing() else None
            except Exception as error:
                # A log that this version cannot fold must not stop the others; it is tried again after a moment.
                self._troubles.tell("run not shippable", error, run=run_id)
            else:
                prepared.append((kept, Shipment(kept.run, position.shipped, fresh, snapshot, position.epoch)))
        return prepared

    async def _resume(self, positions: Mapping[str, str]) -> dict[str, KnownFold]:
        """For each of these runs the fold up to what is shipped, if it was kept; else one from its snapshot, or one
        that begins with the log."""
        kept = {run_id: self._folds.pop(run_id, None) for run_id in positions}
        found = {run_id: one for run_id, one in kept.items() if one and one.run.cursor == positions[run_id]}
        missing = [run_id for run_id in positions if run_id not in found]
        # One that is ahead of its position is harmless: another shipper has stored it, and was quicker.
        snapshots = await self._archive.snapshots(missing) if missing else {}
        for run_id in missing:
            snapshot = snapshots.get(run_id)
            found[run_id] = (
                KnownFold(snapshot.run, snapshot.events, snapshot.events) if snapshot else KnownFold(Run(id=run_id))
            )
        return found

    def _keep(self, kept: KnownFold) -> None:
        if kept.run.ended:
            return
        self._folds[kept.run.id] = kept
        while len(self._folds) > FOLDS_KEPT:
            self._folds.popitem(last=False)


def _apply(kept: KnownFold, entries: Sequence[Entry]) -> None:
    kept.events += len(entries)
    for cursor, body in entries:
        kept.run.apply(decode_event(cursor, body))
