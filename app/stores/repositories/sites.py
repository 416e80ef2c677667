"""Sites: companies' websites that were onboarded."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.content.values import Profile, Topic
from app.stores.tables import SiteRow


async def find_site(session: AsyncSession, site_id: str, workspace_id: str) -> SiteRow | None:
    """Return the site if this workspace owns it, else None."""
    query = select(SiteRow).where(col(SiteRow.id) == site_id, col(SiteRow.workspace_id) == workspace_id)
    return await session.scalar(query)


async def find_site_of_run(session: AsyncSession, run_id: str) -> SiteRow | None:
    """Return the site that a run onboards, else None."""
    return await session.scalar(select(SiteRow).where(col(SiteRow.run_id) == run_id))


async def save_address(session: AsyncSession, site_id: str, url: str) -> None:
    """Save the address that answered, where the scheme of the one before was a guess."""
    await session.execute(update(SiteRow).where(col(SiteRow.id) == site_id).values({"url": url}))


async def save_profile(session: AsyncSession, site_id: str, profile: Profile) -> None:
    values = {"profile": profile.model_dump(mode="json")}
    await session.execute(update(SiteRow).where(col(SiteRow.id) == site_id).values(values))


async def save_topics(session: AsyncSession, site_id: str, topics: list[Topic]) -> None:
    values = {"topics": [topic.model_dump(mode="json") for topic in topics]}
    await session.execute(update(SiteRow).where(col(SiteRow.id) == site_id).values(values))
