"""Epochs: which holder of a run this is. Minted in SQL, so that losing Redis never brings an old one back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.errors import StaleEpoch
from app.contract.manifest import version_number
from app.contract.status import RunStatus, lease_state
from app.stores.batching import Batcher
from app.stores.database import Database
from app.stores.tables import RunRow

MINTED_AT_ONCE = 64
"""The most epochs in one transaction."""

MINTING_PAUSE = 0.01
"""How long (seconds) a round of minting waits for others: a transaction costs as much for one as for ten."""

_STANDING = select(
    col(RunRow.id),
    col(RunRow.epoch),
    col(RunRow.workspace_id),
    col(RunRow.workflow),
    col(RunRow.version),
    col(RunRow.input),
    col(RunRow.shipped),
    col(RunRow.status),
).order_by(col(RunRow.id))
_RAISE = update(RunRow).where(col(RunRow.id) == bindparam("of_run"))


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


class _Other(Enum):
    """Why there is no new epoch."""

    NOT_FOUND = auto()
    NOT_SERVED = auto()


@dataclass(frozen=True, slots=True)
class _Request:
    run_id: str
    serves: Mapping[str, str] | None


class Epochs:
    """Mints epochs, and holds SQL writes to them. What is asked for at the same time is minted in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._minting: Batcher[_Request, Minted | _Other] = Batcher(
            self._mint_free, largest=MINTED_AT_ONCE, pause=MINTING_PAUSE
        )

    async def mint(self, run_id: str, serves: Mapping[str, str] | None = None) -> Minted | None:
        """Raise the run's epoch by one, committed; None when there is no such run.

        With `serves` (workflow names to versions), the run's version becomes the server's, and a run of another
        workflow, or of one that a newer version has run, is None too and stays as it is.
        """
        request = _Request(run_id, serves)
        minted = await self._minting.ask(request)
        if minted is _Other.NOT_FOUND:
            # Or its row was taken: by another asker of the same round, or by a write of an older epoch, which the
            # others of the round need not wait for.
            [minted] = await self._mint([request], skip_locked=False)
        return minted if isinstance(minted, Minted) else None

    async def _mint_free(self, requests: Sequence[_Request]) -> list[Minted | _Other]:
        return await self._mint(requests, skip_locked=True)

    async def _mint(self, requests: Sequence[_Request], *, skip_locked: bool) -> list[Minted | _Other]:
        """Mint for each of these in one transaction."""
        ids = [request.run_id for request in requests]
        query = _STANDING.where(col(RunRow.id).in_(ids)).with_for_update(skip_locked=skip_locked)
        async with self._database.writing() as session:
            connection = await session.connection()
            rows = {row.id: row for row in await connection.execute(query)}
            # A row counts once: who asks for the same run again has to see the epoch that this one raises.
            minted = [_raise_epoch(rows.pop(request.run_id, None), request.serves) for request in requests]
            if raised := [answer for answer in minted if isinstance(answer, Minted)]:
                await connection.execute(_RAISE, [_raised(answer) for answer in raised])
        return minted

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


def _raise_epoch(row: Any, serves: Mapping[str, str] | None) -> Minted | _Other:
    if row is None:
        return _Other.NOT_FOUND
    version = row.version if serves is None else serves.get(row.workflow)
    if version is None or version_number(version) < version_number(row.version):
        return _Other.NOT_SERVED
    return Minted(
        row.id,
        row.epoch + 1,
        row.workspace_id,
        row.workflow,
        version,
        row.input,
        row.shipped,
        lease_state(row.status),
    )


def _raised(minted: Minted) -> dict[str, object]:
    return {"of_run": minted.run_id, "epoch": minted.epoch, "version": minted.version}
