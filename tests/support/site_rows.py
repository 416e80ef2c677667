"""A site in SQL whose pages were read, to write posts from."""

from __future__ import annotations

from collections.abc import Sequence

from app.content.values import (
    PageBlock,
    PageNotes,
    Profile,
    ReadPage,
)
from app.contract.status import RunStatus
from app.stores.database import Database
from app.stores.repositories import pages, sites
from app.stores.tables import RunRow, SiteRow, Workspace

WORKSPACE = "ws_1"
SITE = "site_1"
SUBJECTS = ["cargo bikes", "winter tyres", "brakes and gears", "lights for dark roads"]


async def add_read_site(database: Database) -> None:
    """Add the workspace, the site, its pages, and the run that read them, which has ended."""
    async with database.writing() as session:
        session.add(Workspace(id=WORKSPACE))
        await session.flush()
        onboarding = RunRow(
            id="run_site", workspace_id=WORKSPACE, workflow="onboard-site", title="Read", input={"url": "x"},
            status=RunStatus.SUCCEEDED, sealed=True,
        )  # fmt: skip
        session.add(onboarding)
        await session.flush()
        session.add(SiteRow(id=SITE, workspace_id=WORKSPACE, run_id="run_site", url="https://example.com/"))
        await session.flush()
        await sites.save_profile(session, SITE, Profile(name="Alder & Spoke", tagline="A workshop for bicycles"))
        for number, subject in enumerate(SUBJECTS):
            page, blocks = _page(number, subject)
            await pages.save_page(session, SITE, page, PageNotes(summary=blocks[0].text), blocks)


def _page(number: int, subject: str) -> tuple[ReadPage, Sequence[PageBlock]]:
    blocks = [
        PageBlock(
            heading=f"About {subject}, part {part}",
            text=f"Our workshop knows {subject} well after {part + 3} busy years. Riders with cargo bikes ask about "
            f"{subject} in every winter month. A good answer on {subject} takes {part + 1} visits and some patience.",
        )
        for part in range(3)
    ]
    url = f"https://example.com/{number}"
    return ReadPage(url=url, title=f"All about {subject}", blocks=blocks), blocks
