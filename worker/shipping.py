"""Shipping: the hot logs go to SQL while the runs go on, and are sealed at their end."""

from __future__ import annotations

import asyncio
from collections import OrderedDict

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.contract.cursors import START, is_after
from app.contract.events import decode_event
from app.contract.fold import Run
from app.stores.archive import Archive, Shipment
from app.stores.log import Log
from app.stores.shipping import Unshipped

logger = structlog.get_logger()

PAUSE_SECONDS = 0.25
RUNS_AT_ONCE = 50
FOLDS_KEPT = 200


class Shipper:
    """Ships what is unshipped, many runs to a transaction. Any number of these may work side by side."""

    def __init__(self, log: Log, archive: Archive, unshipped: Unshipped) -> None:
        self._log = log
        self._archive = archive
        self._unshipped = unshipped
        self._folds: OrderedDict[str, Run] = OrderedDict()

    async def ship_forever(self) -> None:
        """Ship, until cancelled. What fails is tried again."""
        while True:
            try:
                while await self.ship() == RUNS_AT_ONCE:
                    pass
            except (RedisError, SQLAlchemyError, OSError) as error:
                logger.warning("shipping failed", error=str(error))
                self._folds.clear()
            await asyncio.sleep(PAUSE_SECONDS)

    async def ship(self) -> int:
        """Ship what is there now; gives how many runs that was."""
        claimed = await self._unshipped.claim(RUNS_AT_ONCE)
        shipments = [shipment for run_id in claimed if (shipment := await self._try_to_prepare(run_id))]
        done = await self._archive_all([shipment for shipment in shipments if shipment.entries])
        for shipment in shipments:
            run = shipment.run
            if shipment.entries and run.id not in done:
                self._folds.pop(run.id, None)  # another shipper was quicker
                continue
            await self._unshipped.settle(run.id, run.cursor, sealed=run.ended)
            self._keep(run)
        return len(claimed)

    async def _archive_all(self, shipments: list[Shipment]) -> set[str]:
        """Archive in one transaction; where that fails, each by itself: no run keeps back the others."""
        if not shipments:
            return set()
        try:
            return set(await self._archive.ship(shipments))
        except SQLAlchemyError:
            if len(shipments) == 1:
                raise
        done: set[str] = set()
        for shipment in shipments:
            try:
                done.update(await self._archive.ship([shipment]))
            except SQLAlchemyError as error:
                logger.warning("run not shipped", run=shipment.run.id, error=str(error))
        return done

    async def _try_to_prepare(self, run_id: str) -> Shipment | None:
        try:
            return await self._prepare(run_id)
        except (RedisError, SQLAlchemyError, OSError):
            raise
        except Exception:
            # A log that this version cannot fold must not stop the others; it is tried again after a moment.
            logger.exception("run not shippable", run=run_id)
            return None

    async def _prepare(self, run_id: str) -> Shipment:
        run = self._folds.pop(run_id, None)
        shipped = await self._archive.shipped(run_id)
        if run is None or run.cursor != shipped:
            run = Run(id=run_id)
        entries = await self._log.entries(run_id, run.cursor if is_after(run.cursor, START) else START)
        for cursor, body in entries:
            run.apply(decode_event(cursor, body))
        fresh = [entry for entry in entries if is_after(entry[0], shipped)]
        return Shipment(run, shipped, fresh)

    def _keep(self, run: Run) -> None:
        if run.ended:
            return
        self._folds[run.id] = run
        while len(self._folds) > FOLDS_KEPT:
            self._folds.popitem(last=False)
