"""Sites: companies' websites that somebody onboarded."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.content.values import Profile, Topic
from app.stores.tables import SiteRow


async def find_site(session: AsyncSession, site_id: str, workspace_id: str) -> SiteRow | None:
    """The site, if this workspace owns it."""
    query = select(SiteRow).where(col(SiteRow.id) == site_id, col(SiteRow.workspace_id) == workspace_id)
    return await session.scalar(query)


async def site_of_run(session: AsyncSession, run_id: str) -> SiteRow | None:
    """The site that a run onboards."""
    return await session.scalar(select(SiteRow).where(col(SiteRow.run_id) == run_id))


async def list_sites(session: AsyncSession, workspace_id: str) -> list[SiteRow]:
    """The workspace's sites, newest first."""
    query = select(SiteRow).where(col(SiteRow.workspace_id) == workspace_id)
    return list(await session.scalars(query.order_by(col(SiteRow.created_at).desc(), col(SiteRow.id))))


async def save_address(session: AsyncSession, site_id: str, url: str) -> None:
    """The address under which the site was found, where the one it had was a guess."""
    await session.execute(update(SiteRow).where(col(SiteRow.id) == site_id).values({"url": url}))


async def save_profile(session: AsyncSession, site_id: str, profile: Profile) -> None:
    values = {"profile": profile.model_dump(mode="json")}
    await session.execute(update(SiteRow).where(col(SiteRow.id) == site_id).values(values))


async def save_topics(session: AsyncSession, site_id: str, topics: list[Topic]) -> None:
    values = {"topics": [topic.model_dump(mode="json") for topic in topics]}
    await session.execute(update(SiteRow).where(col(SiteRow.id) == site_id).values(values))
