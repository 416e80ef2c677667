"""How much of each run's log is in SQL, and the state that lists show of the run."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.cursors import START
from app.contract.run import Run
from app.contract.status import lease_state
from app.stores.tables import RunRow

_ID = col(RunRow.id)

# Always in the same order: two shippers that lock each other's rows would end in a deadlock.
_POSITIONS = select(_ID, col(RunRow.shipped), col(RunRow.status), col(RunRow.epoch)).order_by(_ID)
_PROJECT = update(RunRow).where(_ID == bindparam("of_run"))


@dataclass(frozen=True, slots=True)
class ArchivePosition:
    """How much of a run is in SQL: the cursor of its last archived entry, its state then ("queued", "parked" or
    "ended"; "" where there is no such run), and its newest epoch."""

    shipped: str = START
    state: str = ""
    epoch: int = 0


async def find_positions(
    session: AsyncSession, run_ids: Sequence[str], *, lock: bool = False
) -> dict[str, ArchivePosition]:
    """Return the positions of those of these runs that are there. With `lock`, lock their rows."""
    query = _POSITIONS.where(_ID.in_(run_ids))
    rows = await session.execute(query.with_for_update() if lock else query)
    return {run_id: ArchivePosition(shipped, lease_state(status), epoch) for run_id, shipped, status, epoch in rows}


async def save_projections(session: AsyncSession, runs: Iterable[Run]) -> None:
    """Update the rows of these runs from their folds."""
    connection = await session.connection()
    await connection.execute(_PROJECT, [_projection(run) for run in runs])


def _projection(run: Run) -> dict[str, object]:
    return {
        "of_run": run.id,
        "shipped": run.cursor,
        "status": run.status.value,
        "sealed": run.ended,
        "tokens": run.tokens,
        "cost": run.cost,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "worked": run.work.seconds,
        "working_since": run.work.since,
    }
