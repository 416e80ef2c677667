"""Workspaces of different companies, with a site each."""

from __future__ import annotations

from app.content.values import PageBlock, PageNotes, ReadPage
from app.stores.database import Database
from app.stores.repositories.pages import find_passages, save_page
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import SiteRow


async def add_site(database: Database, name: str) -> str:
    """Add a site in a workspace of its own and return its id."""
    async with database.writing() as session:
        await add_workspace(session, f"ws_{name}")
        session.add(
            SiteRow(id=f"site_{name}", workspace_id=f"ws_{name}", run_id=f"run_{name}", url=f"https://{name}.test/")
        )
    return f"site_{name}"


async def add_page(database: Database, site_id: str, url: str, *passages: str, heading: str = "") -> str:
    """Add a page with these passages and return its id."""
    blocks = [PageBlock(heading=heading, text=passage) for passage in passages]
    async with database.writing() as session:
        return await save_page(session, site_id, ReadPage(url=url, title="A page"), PageNotes(summary="s"), blocks)


async def search(database: Database, site_id: str, query: str, limit: int = 10) -> list[str]:
    """Return the texts that are found, best first."""
    async with database.reading() as session:
        return [passage.text for passage, _ in await find_passages(session, site_id, query, limit)]
