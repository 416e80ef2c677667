"""Epochs: which holder of a run this is. Minted in SQL, so that losing Redis never brings an old one back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.errors import StaleEpoch
from app.contract.manifest import version_number
from app.contract.runs import ENDED, RunStatus
from app.stores.database import Database
from app.stores.tables import RunRow


@dataclass(frozen=True, slots=True)
class Minted:
    """A run's new epoch, and what its row says of it. `state` is "queued", "parked" or "ended", as last archived."""

    run_id: str
    epoch: int
    workspace_id: str
    workflow: str
    version: str
    input: Any
    shipped: str
    state: str = "queued"


class Epochs:
    """Mints epochs, and holds SQL writes to them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mint(self, run_id: str, serves: Mapping[str, str] | None = None) -> Minted | None:
        """Raise the run's epoch by one, committed; None when there is no such run.

        With `serves` (workflow names to versions), the run's version becomes the server's, and a run of another
        workflow, or of one that a newer version has run, is None too and stays as it is.
        """
        async with self._database.writing() as session:
            row = await session.get(RunRow, run_id, with_for_update=True)
            if row is None or (serves is not None and not _is_served(row, serves)):
                return None
            row.epoch += 1
            if serves is not None:
                row.version = serves[row.workflow]
            return Minted(
                run_id,
                row.epoch,
                row.workspace_id,
                row.workflow,
                row.version,
                row.input,
                row.shipped,
                _state(row.status),
            )

    @asynccontextmanager
    async def fenced(self, run_id: str, epoch: int) -> AsyncIterator[AsyncSession]:
        """A writing session that holds the run's row: nobody mints a newer epoch before it commits.

        Raises `StaleEpoch` when somebody already has.
        """
        async with self._database.writing() as session:
            current = await session.scalar(select(col(RunRow.epoch)).where(col(RunRow.id) == run_id).with_for_update())
            if current != epoch:
                raise StaleEpoch(f"Run {run_id} is in epoch {current}; epoch {epoch} may not write.")
            yield session

    async def open_runs(self) -> list[tuple[str, str, str]]:
        """The (id, workflow, version) of each run that SQL knows as neither ended nor waiting."""
        query = select(col(RunRow.id), col(RunRow.workflow), col(RunRow.version)).where(
            col(RunRow.status).in_([RunStatus.QUEUED.value, RunStatus.RUNNING.value])
        )
        async with self._database.reading() as session:
            return [(run_id, workflow, version) for run_id, workflow, version in await session.execute(query)]


def _is_served(row: RunRow, serves: Mapping[str, str]) -> bool:
    version = serves.get(row.workflow)
    return version is not None and version_number(version) >= version_number(row.version)


def _state(status: RunStatus) -> str:
    if status in ENDED:
        return "ended"
    return "parked" if status == RunStatus.WAITING else "queued"
