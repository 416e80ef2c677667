"""The fence around SQL writes of a run's components: a stale epoch ends the run here, and fails none of its steps."""

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
    """Epochs whose `fenced` calls `on_stale(run_id)` and waits to be cancelled, where `Epochs` raises `StaleEpoch`.

    Raised into a component, the error would count as the step's failure and be remembered. But it says nothing about
    the step, only that this worker may no longer execute it.
    """

    def __init__(self, database: Database, on_stale: Callable[[str], None]) -> None:
        super().__init__(database)
        self._on_stale = on_stale

    @asynccontextmanager
    async def fenced(self, run_id: str, epoch: int) -> AsyncIterator[AsyncSession]:
        try:
            async with super().fenced(run_id, epoch) as session:
                yield session
        except StaleEpoch as error:
            logger.warning("write refused", run=run_id, epoch=epoch, error=str(error))
            self._on_stale(run_id)
            await asyncio.Future()
