"""The snapshot refresher: folds old runs anew where another version of the fold made their snapshots.

Without it, the first page of an old run would fold its whole log after a deploy.
"""

from __future__ import annotations

import asyncio
import random

import structlog

from app.contract.codec import decode_event
from app.contract.run import Run
from app.stores.archive import Archive, Shipment
from app.stores.snapshots import snapshot_row

logger = structlog.get_logger()

_BATCH = 200
"""Events that are folded before other tasks may go on."""


class SnapshotRefresher:
    """Refreshes the snapshots that were stale at its first call, one at each call."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._stale: list[str] | None = None

    async def refresh_one(self) -> None:
        """Store the fold of one run anew, if a stale one is left. Raise what SQL raises."""
        if self._stale is None:
            self._stale = await self._archive.stale_snapshots()
            random.shuffle(self._stale)  # other workers begin with others
        if self._stale:
            run_id = self._stale.pop()
            try:
                await self._refresh(run_id)
            except (ValueError, TypeError, KeyError) as error:
                # A log that this version cannot fold keeps its old snapshot, and stops no other refresh.
                logger.warning("snapshot not refreshed", run=run_id, error=str(error))

    async def _refresh(self, run_id: str) -> None:
        if await self._archive.snapshots([run_id]):
            return
        run, entries = Run(id=run_id), await self._archive.read(run_id)
        for start in range(0, len(entries), _BATCH):
            for cursor, body in entries[start : start + _BATCH]:
                run.apply(decode_event(cursor, body))
            await asyncio.sleep(0)
        # With the same compare-and-set as any shipment: where the log has grown meanwhile, nothing is stored.
        await self._archive.ship([Shipment(run, run.cursor, (), snapshot_row(run, len(entries)))])
