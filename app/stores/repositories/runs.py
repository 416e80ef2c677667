"""Accepted runs, as submission, lists and commands need them. Every query names the workspace."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.contract.codec import encode_event
from app.contract.events import RunSubmitted
from app.stores.repositories.events import archived
from app.stores.tables import RunRow

_CREATED, _ID = col(RunRow.created_at), col(RunRow.id)


async def accept_run(session: AsyncSession, row: RunRow, submitted: RunSubmitted) -> None:
    """Keep a new run with its first event, whose id is its cursor; `row.shipped` becomes that cursor."""
    row.shipped = submitted.id
    session.add(row)
    await session.flush()
    session.add(archived(row.id, submitted.id, encode_event(submitted)))
    await session.flush()


async def find_run(session: AsyncSession, run_id: str, workspace_id: str) -> RunRow | None:
    """The run, if this workspace owns it."""
    return await session.scalar(select(RunRow).where(_ID == run_id, col(RunRow.workspace_id) == workspace_id))


async def find_repeat(session: AsyncSession, workspace_id: str, key: str) -> RunRow | None:
    """The run that was accepted under this idempotency key."""
    query = select(RunRow).where(col(RunRow.workspace_id) == workspace_id, col(RunRow.idempotency_key) == key)
    return await session.scalar(query)


async def list_runs(
    session: AsyncSession, workspace_id: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[RunRow]:
    """The workspace's runs, newest first; `before` is the (created_at, id) of the last one that was seen."""
    query = select(RunRow).where(col(RunRow.workspace_id) == workspace_id)
    if before is not None:
        moment, run_id = before
        query = query.where(or_(_CREATED < moment, and_(_CREATED == moment, _ID < run_id)))
    return list(await session.scalars(query.order_by(_CREATED.desc(), _ID.desc()).limit(limit)))


async def count_runs(session: AsyncSession) -> dict[str, int]:
    """How many runs there are in each status, of all workspaces: for operators."""
    query = select(col(RunRow.status), func.count()).group_by(col(RunRow.status))
    return {str(status): count for status, count in await session.execute(query)}
