"""Epochs of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import RunRow

_ID = col(RunRow.id)

_RUNS = select(
    _ID,
    col(RunRow.epoch),
    col(RunRow.workspace_id),
    col(RunRow.workflow),
    col(RunRow.version),
    col(RunRow.input),
    col(RunRow.shipped),
    col(RunRow.status),
).order_by(_ID)
_SAVE = update(RunRow).where(_ID == bindparam("of_run"))


async def lock_runs(session: AsyncSession, run_ids: Sequence[str], *, skip_locked: bool) -> dict[str, Any]:
    """Lock the rows of these runs and return them by run id, with the columns that a new epoch needs.

    With `skip_locked`, leave out rows that somebody else has locked.
    """
    connection = await session.connection()
    query = _RUNS.where(_ID.in_(run_ids)).with_for_update(skip_locked=skip_locked)
    return {row.id: row for row in await connection.execute(query)}


async def save_epochs(session: AsyncSession, epochs: Sequence[tuple[str, int, str]]) -> None:
    """Save the new epochs of runs, as (run id, epoch, version of the workflow)."""
    if epochs:
        connection = await session.connection()
        rows = [{"of_run": run_id, "epoch": epoch, "version": version} for run_id, epoch, version in epochs]
        await connection.execute(_SAVE, rows)


async def lock_epoch(session: AsyncSession, run_id: str) -> int | None:
    """Lock the run's row and return its epoch; None when there is no such run."""
    return await session.scalar(select(col(RunRow.epoch)).where(_ID == run_id).with_for_update())
