"""Rows that lists on pages show. Every query names the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.stores.tables import PageRow, PostRow, RunRow, SiteRow


@dataclass(frozen=True, slots=True)
class SiteCard:
    """A site with its reading, and how much there is of it."""

    site: SiteRow
    run: RunRow
    pages: int
    failed: int
    posts: int


async def site_cards(session: AsyncSession, workspace_id: str) -> list[SiteCard]:
    """The workspace's sites, newest first."""
    mine = col(SiteRow.workspace_id) == workspace_id
    sites = (
        select(SiteRow, RunRow)
        .join(RunRow, col(RunRow.id) == col(SiteRow.run_id))
        .where(mine)
        .order_by(col(SiteRow.created_at).desc(), col(SiteRow.id))
    )
    read = func.sum(case((col(PageRow.reason) == "", 1), else_=0))
    counted = (
        select(col(PageRow.site_id), read, func.count())
        .join(SiteRow, col(SiteRow.id) == col(PageRow.site_id))
        .where(mine)
        .group_by(col(PageRow.site_id))
    )
    written = (
        select(col(PostRow.site_id), func.count())
        .where(col(PostRow.workspace_id) == workspace_id)
        .group_by(col(PostRow.site_id))
    )
    pages = {site_id: (int(good), int(total)) for site_id, good, total in await session.execute(counted)}
    posts = {site_id: int(count) for site_id, count in await session.execute(written)}
    cards = []
    for site, run in await session.execute(sites):
        good, total = pages.get(site.id, (0, 0))
        cards.append(SiteCard(site, run, good, total - good, posts.get(site.id, 0)))
    return cards


async def posts_of_runs(session: AsyncSession, run_ids: Sequence[str], workspace_id: str) -> dict[str, str]:
    """The post that each run writes, by run id."""
    query = select(col(PostRow.run_id), col(PostRow.id)).where(
        col(PostRow.run_id).in_(run_ids), col(PostRow.workspace_id) == workspace_id
    )
    return {row[0]: row[1] for row in await session.execute(query)}


def page_of_run(row: RunRow, post_id: str | None) -> str:
    """The address of the page that shows the run best."""
    if post_id:
        return f"/posts/{post_id}"
    if row.site_id and row.workflow == "onboard-site":
        return f"/sites/{row.site_id}"
    return f"/runs/{row.id}"
