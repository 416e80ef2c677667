"""Epochs: the numbers of a run's holders. They are minted in SQL, so that losing Redis never brings an old one back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.contract.errors import StaleEpoch
from app.contract.manifest import version_number
from app.contract.status import lease_state
from app.stores.batching import Batcher
from app.stores.database import Database
from app.stores.repositories.epochs import lock_epoch, lock_runs, save_epochs
from app.stores.repositories.runs import list_open_runs

MINTED_AT_ONCE = 64
"""The most epochs that one transaction mints."""

MINTING_PAUSE = 0.01
"""How long (seconds) a batch of requests waits for others: a transaction costs as much for one as for ten."""


@dataclass(frozen=True, slots=True)
class Minted:
    """A run's new epoch, and the columns of its row. `state` is "queued", "parked" or "ended", as last archived."""

    run_id: str
    epoch: int
    workspace_id: str
    workflow: str
    version: str
    input: Any
    shipped: str
    state: str = "queued"


class _Refusal(Enum):
    """A reason why there is no new epoch."""

    NOT_FOUND = auto()
    NOT_SERVED = auto()


@dataclass(frozen=True, slots=True)
class _Request:
    run_id: str
    serves: Mapping[str, str] | None


class Epochs:
    """Mints epochs, and refuses SQL writes of older ones. Simultaneous requests are minted in one transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._minting: Batcher[_Request, Minted | _Refusal] = Batcher(
            self._mint_free, largest=MINTED_AT_ONCE, pause=MINTING_PAUSE
        )

    async def mint(self, run_id: str, serves: Mapping[str, str] | None = None) -> Minted | None:
        """Raise the run's epoch by one and commit it; return None when there is no such run.

        With `serves` (workflow names to versions), the run's version becomes the one in `serves`. A run of a workflow
        that is not in it, or that a newer version has run, stays unchanged and None is returned too.
        """
        request = _Request(run_id, serves)
        minted = await self._minting.call(request)
        if minted is _Refusal.NOT_FOUND:
            # Its row may have been locked instead: by another request of the same batch, or by a write of an older
            # epoch, for which the rest of the batch need not wait.
            [minted] = await self._mint([request], skip_locked=False)
        return minted if isinstance(minted, Minted) else None

    async def _mint_free(self, requests: Sequence[_Request]) -> list[Minted | _Refusal]:
        return await self._mint(requests, skip_locked=True)

    async def _mint(self, requests: Sequence[_Request], *, skip_locked: bool) -> list[Minted | _Refusal]:
        """Mint an epoch for each of these requests in one transaction."""
        async with self._database.writing() as session:
            rows = await lock_runs(session, [request.run_id for request in requests], skip_locked=skip_locked)
            # A row counts once: a second request for the same run has to see the epoch that the first one raises.
            answers = [_raise_epoch(rows.pop(request.run_id, None), request.serves) for request in requests]
            minted = [answer for answer in answers if isinstance(answer, Minted)]
            await save_epochs(session, [(one.run_id, one.epoch, one.version) for one in minted])
        return answers

    @asynccontextmanager
    async def fenced(self, run_id: str, epoch: int) -> AsyncIterator[AsyncSession]:
        """Open a writing session that locks the run's row: nobody mints a newer epoch before it commits.

        Raise `StaleEpoch` if somebody already has.
        """
        async with self._database.writing() as session:
            current = await lock_epoch(session, run_id)
            if current != epoch:
                raise StaleEpoch(f"Run {run_id} is in epoch {current}; epoch {epoch} may not write.")
            yield session

    async def open_runs(self) -> list[tuple[str, str, str]]:
        """Return the (id, workflow, version) of each run that is neither ended nor waiting in SQL."""
        async with self._database.reading() as session:
            return await list_open_runs(session)


def _raise_epoch(row: Any, serves: Mapping[str, str] | None) -> Minted | _Refusal:
    if row is None:
        return _Refusal.NOT_FOUND
    version = row.version if serves is None else serves.get(row.workflow)
    if version is None or version_number(version) < version_number(row.version):
        return _Refusal.NOT_SERVED
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
