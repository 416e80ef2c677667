"""The fence for SQL writes of a run's components: a stale epoch stops the run's steps here, and fails none of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from app.contract.errors import StaleEpoch
from app.stores.database import Database
from app.stores.epochs import Epochs

logger = structlog.get_logger()


class Fence(Epochs):
    """Epochs whose `fenced` says `stale(run_id)` and waits to be cancelled, where `Epochs` raises `StaleEpoch`.

    Raised into a component, the error would count as the step's failure and be remembered; but it says nothing of the
    step, only that this worker is no longer the one to execute it.
    """

    def __init__(self, database: Database, stale: Callable[[str], None]) -> None:
        super().__init__(database)
        self._stale = stale

    @asynccontextmanager
    async def fenced(self, run_id: str, epoch: int) -> AsyncIterator[AsyncSession]:
        try:
            async with super().fenced(run_id, epoch) as session:
                yield session
        except StaleEpoch as error:
            logger.warning("write refused", run=run_id, epoch=epoch, error=str(error))
            self._stale(run_id)
            await asyncio.Future()
