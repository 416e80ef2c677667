"""Posts."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import PostRow, RunRow


async def find_post(session: AsyncSession, post_id: str, workspace_id: str) -> PostRow | None:
    """Return the post if this workspace owns it, else None."""
    query = select(PostRow).where(col(PostRow.id) == post_id, col(PostRow.workspace_id) == workspace_id)
    return await session.scalar(query)


async def list_posts(session: AsyncSession, site_id: str) -> list[tuple[PostRow, RunRow]]:
    """Return the site's posts with their runs, newest first."""
    query = (
        select(PostRow, RunRow)
        .join(RunRow, col(RunRow.id) == col(PostRow.run_id))
        .where(col(PostRow.site_id) == site_id)
        .order_by(col(PostRow.created_at).desc(), col(PostRow.id))
    )
    return [(post, run) for post, run in await session.execute(query)]


async def find_post_id(session: AsyncSession, run_id: str) -> str | None:
    """Return the id of the post that a run writes, if it writes one."""
    return await session.scalar(select(col(PostRow.id)).where(col(PostRow.run_id) == run_id))
