"""Renewing stored folds that another version of the fold has made, so that old runs open fast after a deploy too."""

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
"""Events folded before others get their turn."""


class SnapshotRefresher:
    """What was stale when this process began; each call renews one, until all are."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._stale: list[str] | None = None

    async def renew_one(self) -> None:
        """Store the fold of one run anew, if one is left. Raises what SQL raises."""
        if self._stale is None:
            self._stale = await self._archive.stale_snapshots()
            random.shuffle(self._stale)  # other workers begin with others
        if self._stale:
            run_id = self._stale.pop()
            try:
                await self._renew(run_id)
            except (ValueError, TypeError, KeyError) as error:
                # A log that this version cannot fold keeps what it has; nobody else waits for it.
                logger.warning("snapshot not renewed", run=run_id, error=str(error))

    async def _renew(self, run_id: str) -> None:
        if await self._archive.snapshots([run_id]):
            return
        run, entries = Run(id=run_id), await self._archive.read(run_id)
        for start in range(0, len(entries), _BATCH):
            for cursor, body in entries[start : start + _BATCH]:
                run.apply(decode_event(cursor, body))
            await asyncio.sleep(0)
        # With the same compare-and-set as any shipment: where the run has gone on meanwhile, nothing is stored.
        await self._archive.ship([Shipment(run, run.cursor, (), snapshot_row(run, len(entries)))])
