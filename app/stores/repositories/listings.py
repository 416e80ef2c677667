"""Rows that lists on pages show. Every query names the workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.content.workflows import ONBOARD_SITE
from app.contract.status import ACTIVE, RunStatus
from app.stores.database import Database
from app.stores.tables import PageRow, PostRow, RunRow, SiteRow

Listing = Select[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class SiteCard:
    """A site with the run that onboards it, and counts of its pages and posts."""

    site: SiteRow
    run: RunRow
    pages: int
    failed: int
    posts: int


async def list_site_cards(session: AsyncSession, workspace_id: str) -> list[SiteCard]:
    """Return the workspace's sites, newest first."""
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


async def find_posts_of_runs(session: AsyncSession, run_ids: Sequence[str], workspace_id: str) -> dict[str, str]:
    """Return the ids of the posts that these runs write, by run id."""
    query = select(col(PostRow.run_id), col(PostRow.id)).where(
        col(PostRow.run_id).in_(run_ids), col(PostRow.workspace_id) == workspace_id
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def find_post_of_run(database: Database, row: RunRow) -> str | None:
    """Return the id of the post that the run writes, if it writes one."""
    async with database.reading() as session:
        return (await find_posts_of_runs(session, [row.id], row.workspace_id)).get(row.id)


def run_page_address(row: RunRow | ListedRun, post_id: str | None) -> str:
    """Return the address of the page that shows the run best."""
    if post_id:
        return f"/posts/{post_id}"
    if row.site_id and row.workflow == ONBOARD_SITE:
        return f"/sites/{row.site_id}"
    return f"/runs/{row.id}"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run as a list shows it."""

    id: str
    workflow: str
    title: str
    status: RunStatus
    site_id: str | None
    post_id: str | None
    ended_at: datetime | None
    worked: float
    working_since: datetime | None
    tokens: int
    cost: float

    @property
    def page(self) -> str:
        """The address of the page that shows it best."""
        return run_page_address(self, self.post_id)


async def list_active_runs(session: AsyncSession, workspace_id: str, limit: int) -> list[ListedRun]:
    """Return the workspace's runs that have not ended, newest first."""
    query = _listed(workspace_id).where(col(RunRow.ended_at).is_(None), col(RunRow.status).in_(ACTIVE))
    return await _read_runs(session, query.order_by(col(RunRow.created_at).desc(), col(RunRow.id).desc()), limit)


async def list_ended_runs(
    session: AsyncSession, workspace_id: str, limit: int, before: tuple[datetime, str] | None = None
) -> list[ListedRun]:
    """Return the workspace's ended runs, the last one first; `before` is the (ended_at, id) of the last one seen."""
    ended, run_id = col(RunRow.ended_at), col(RunRow.id)
    query = _listed(workspace_id).where(ended.is_not(None))
    if before is not None:
        query = query.where(or_(ended < before[0], and_(ended == before[0], run_id < before[1])))
    return await _read_runs(session, query.order_by(ended.desc(), run_id.desc()), limit)


def _listed(workspace_id: str) -> Listing:
    shown = (
        RunRow.id,
        RunRow.workflow,
        RunRow.title,
        RunRow.status,
        RunRow.site_id,
        PostRow.id,
        RunRow.ended_at,
        RunRow.worked,
        RunRow.working_since,
        RunRow.tokens,
        RunRow.cost,
    )
    its_post = col(PostRow.run_id) == col(RunRow.id)
    query = select(*map(col, shown)).outerjoin_from(RunRow, PostRow, its_post)
    return query.where(col(RunRow.workspace_id) == workspace_id)


async def _read_runs(session: AsyncSession, query: Listing, limit: int) -> list[ListedRun]:
    return [ListedRun(*row) for row in await session.execute(query.limit(limit))]
