"""Drafts of answers. The caller has checked who owns the run."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import DraftRow, RunRow


async def save_draft(session: AsyncSession, row: DraftRow) -> None:
    """Save a draft in place of an older one for the same ask."""
    # Two tabs may save the first draft of an ask at once: the second one waits for this lock.
    await session.execute(select(col(RunRow.id)).where(col(RunRow.id) == row.run_id).with_for_update())
    await session.merge(row)


async def list_drafts(session: AsyncSession, run_id: str) -> list[DraftRow]:
    return list(await session.scalars(select(DraftRow).where(col(DraftRow.run_id) == run_id)))


async def delete_draft(session: AsyncSession, run_id: str, ask: str) -> None:
    await session.execute(delete(DraftRow).where(col(DraftRow.run_id) == run_id, col(DraftRow.ask) == ask))


async def delete_drafts(session: AsyncSession, run_ids: Collection[str]) -> None:
    """Delete all drafts of these runs."""
    if run_ids:
        await session.execute(delete(DraftRow).where(col(DraftRow.run_id).in_(run_ids)))
