"""Accepted runs. Queries for people and clients name the workspace; those for operators and workers see all of them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.codec import Entry
from app.contract.status import RunStatus
from app.stores.repositories.events import add_entries
from app.stores.tables import RunRow

_CREATED, _ID = col(RunRow.created_at), col(RunRow.id)


async def add_run(session: AsyncSession, row: RunRow, submitted: Entry) -> None:
    """Add a new run with the first entry of its log, whose cursor `row.shipped` becomes."""
    row.shipped = submitted[0]
    session.add(row)
    await session.flush()
    await add_entries(session, [(row.id, submitted)])


async def find_run(session: AsyncSession, run_id: str, workspace_id: str) -> RunRow | None:
    """Return the run if this workspace owns it, else None."""
    return await session.scalar(select(RunRow).where(_ID == run_id, col(RunRow.workspace_id) == workspace_id))


async def find_run_by_key(session: AsyncSession, workspace_id: str, key: str) -> RunRow | None:
    """Return the run that was accepted under this idempotency key, else None."""
    query = select(RunRow).where(col(RunRow.workspace_id) == workspace_id, col(RunRow.idempotency_key) == key)
    return await session.scalar(query)


async def list_runs(
    session: AsyncSession, workspace_id: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[RunRow]:
    """Return the workspace's runs, newest first; `before` is the (created_at, id) of the last one already seen."""
    query = select(RunRow).where(col(RunRow.workspace_id) == workspace_id)
    if before is not None:
        moment, run_id = before
        query = query.where(or_(_CREATED < moment, and_(_CREATED == moment, _ID < run_id)))
    return list(await session.scalars(query.order_by(_CREATED.desc(), _ID.desc()).limit(limit)))


async def count_runs(session: AsyncSession) -> dict[str, int]:
    """Return how many runs there are in each status, for operators."""
    query = select(col(RunRow.status), func.count()).group_by(col(RunRow.status))
    return {str(status): count for status, count in await session.execute(query)}


async def list_open_runs(session: AsyncSession) -> list[tuple[str, str, str]]:
    """Return the (id, workflow, version) of each run that is neither ended nor waiting."""
    query = select(_ID, col(RunRow.workflow), col(RunRow.version)).where(
        col(RunRow.status).in_([RunStatus.QUEUED.value, RunStatus.RUNNING.value])
    )
    return [(run_id, workflow, version) for run_id, workflow, version in await session.execute(query)]
