"""The archiver: copies the logs of live runs from Redis to SQL, and seals them when the runs have ended."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.contract.codec import Entry, decode_event
from app.contract.cursors import is_after
from app.contract.run import Run
from app.stores.archive import Shipment
from app.stores.repositories.positions import ArchivePosition
from app.stores.snapshots import snapshot_row
from app.stores.stores import Stores
from worker.engine.error_reporting import LoopErrors
from worker.engine.snapshot_refresher import SnapshotRefresher

PAUSE_SECONDS = 0.25
RUNS_AT_ONCE = 50
CACHED_FOLDS = 200
SNAPSHOT_EVENTS = 500
"""A fold is stored again after so many events, or after a twentieth of the log where that is more."""
SEALED_EVENTS = 200
"""An ended run's fold is stored when its snapshot lacks at least so many events."""


@dataclass(slots=True)
class CachedFold:
    """A run's fold, how many events it holds, and how many of them its stored snapshot holds."""

    run: Run
    events: int = 0
    stored: int = 0

    def apply(self, entries: Sequence[Entry]) -> None:
        self.events += len(entries)
        for cursor, body in entries:
            self.run.apply(decode_event(cursor, body))

    def is_worth_storing(self) -> bool:
        new = self.events - self.stored
        return new >= (SEALED_EVENTS if self.run.ended else max(SNAPSHOT_EVENTS, self.events // 20))


class Archiver:
    """Copies to SQL what only Redis has, many runs to a transaction. Any number of archivers may work side by side."""

    def __init__(self, stores: Stores) -> None:
        self._log = stores.log
        self._archive = stores.archive
        self._unshipped = stores.unshipped
        self._folds: OrderedDict[str, CachedFold] = OrderedDict()
        self._refresher = SnapshotRefresher(stores.archive)
        self._errors = LoopErrors()

    async def run_forever(self) -> None:
        """Archive until cancelled. What fails is tried again."""
        while True:
            try:
                while await self.archive_batch() == RUNS_AT_ONCE:
                    pass
                await self._refresher.refresh_one()
            except Exception as error:
                self._errors.report("archiving failed", error)
                self._folds.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    async def archive_batch(self) -> int:
        """Archive what a batch of runs has by now; return how many runs that was, `RUNS_AT_ONCE` at the most."""
        claimed = await self._unshipped.claim(RUNS_AT_ONCE)
        if not claimed:
            return 0
        prepared = await self._prepare(claimed)
        done, failed = await self._archive_all([shipment for _, shipment in prepared if shipment.entries])
        settled = [(fold, shipment) for fold, shipment in prepared if fold.run.id not in failed]
        await asyncio.gather(*(self._settle(fold, shipment, done) for fold, shipment in settled))
        return len(claimed)

    async def _settle(self, fold: CachedFold, shipment: Shipment, done: set[str]) -> None:
        run = fold.run
        if shipment.entries and run.id not in done:
            # Another archiver was quicker, or the run was taken meanwhile: neither this fold nor its snapshot counts.
            await self._unshipped.release_claim(run.id)
            return
        if shipment.snapshot:
            fold.stored = fold.events
        await self._unshipped.mark_shipped(run.id, run.cursor, sealed=run.ended)
        self._cache(fold)

    async def _archive_all(self, shipments: list[Shipment]) -> tuple[set[str], set[str]]:
        """Archive these in one transaction; where that fails, each by itself, so that no run keeps back the others.

        Return the ids of the runs that were archived, and of those that could not be: these stay claimed, and are
        tried again later.
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
                self._errors.report("run not archived", error, run=shipment.run.id)
                failed.add(shipment.run.id)
        return done, failed

    async def _prepare(self, run_ids: Sequence[str]) -> list[tuple[CachedFold, Shipment]]:
        """Bring the folds of these runs up to date; return them with the entries that SQL lacks."""
        positions = await self._archive.positions(run_ids)
        folds = await self._load_folds({run_id: position.shipped for run_id, position in positions.items()})
        logs = await self._log.entries_of({run_id: fold.run.cursor for run_id, fold in folds.items()})
        prepared = []
        for run_id, entries in logs.items():
            try:
                if isinstance(entries, Exception):
                    raise entries
                shipment = _build_shipment(folds[run_id], entries, positions[run_id])
            except Exception as error:
                # A log that this version cannot fold must not stop the others; it is tried again after a moment.
                self._errors.report("run not archivable", error, run=run_id)
            else:
                prepared.append((folds[run_id], shipment))
        return prepared

    async def _load_folds(self, positions: Mapping[str, str]) -> dict[str, CachedFold]:
        """Return each run's fold up to what is archived: the cached one, else its snapshot, else an empty one."""
        cached = {run_id: self._folds.pop(run_id, None) for run_id in positions}
        folds = {run_id: fold for run_id, fold in cached.items() if fold and fold.run.cursor == positions[run_id]}
        missing = [run_id for run_id in positions if run_id not in folds]
        # A snapshot that is ahead of its position is harmless: another archiver has stored it, and was quicker.
        snapshots = await self._archive.snapshots(missing) if missing else {}
        for run_id in missing:
            snapshot = snapshots.get(run_id)
            folds[run_id] = (
                CachedFold(snapshot.run, snapshot.events, snapshot.events) if snapshot else CachedFold(Run(id=run_id))
            )
        return folds

    def _cache(self, fold: CachedFold) -> None:
        if fold.run.ended:
            return
        self._folds[fold.run.id] = fold
        while len(self._folds) > CACHED_FOLDS:
            self._folds.popitem(last=False)


def _build_shipment(fold: CachedFold, entries: Sequence[Entry], position: ArchivePosition) -> Shipment:
    fold.apply(entries)
    fresh = [entry for entry in entries if is_after(entry[0], position.shipped)]
    snapshot = snapshot_row(fold.run, fold.events) if fresh and fold.is_worth_storing() else None
    return Shipment(fold.run, position.shipped, fresh, snapshot, position.epoch)
