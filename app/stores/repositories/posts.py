"""Posts, as lists and addresses need them."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import PostRow, RunRow


async def find_post(session: AsyncSession, post_id: str, workspace_id: str) -> PostRow | None:
    """The post, if this workspace owns it."""
    query = select(PostRow).where(col(PostRow.id) == post_id, col(PostRow.workspace_id) == workspace_id)
    return await session.scalar(query)


async def find_post_of_run(session: AsyncSession, run_id: str) -> PostRow | None:
    """Return the post that a run writes, None for a run that writes none."""
    return await session.scalar(select(PostRow).where(col(PostRow.run_id) == run_id))


async def list_posts(session: AsyncSession, site_id: str) -> list[tuple[PostRow, RunRow]]:
    """The site's posts with their runs, newest first."""
    query = (
        select(PostRow, RunRow)
        .join(RunRow, col(RunRow.id) == col(PostRow.run_id))
        .where(col(PostRow.site_id) == site_id)
        .order_by(col(PostRow.created_at).desc(), col(PostRow.id))
    )
    return [(post, run) for post, run in await session.execute(query)]
