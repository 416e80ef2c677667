"""A site's knowledge base in SQL, as one run reads and writes it: bound to the run's workspace and epoch."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from app.content.values import (
    PageBlock,
    PageDigest,
    PageNotes,
    Passage,
    Profile,
    ReadPage,
    Topic,
)
from app.contract.status import ACTIVE
from app.stores.database import Database
from app.stores.epochs import Epochs, Minted
from app.stores.repositories import pages, sites
from app.stores.repositories.runs import find_run
from app.stores.tables import SiteRow
from worker.agents.passages import number_passages


class SiteUnknown(Exception):
    """The site was removed, or belongs to another workspace."""

    transient = False


class SiteKnowledge:
    """Reads and writes the sites of one run's workspace. A write of a stale epoch goes by its `epochs`: they raise
    `StaleEpoch`, or end the run.
    """

    def __init__(self, database: Database, epochs: Epochs, minted: Minted) -> None:
        self._database = database
        self._epochs = epochs
        self._minted = minted

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncSession]:
        async with self._epochs.fenced(self._minted.run_id, self._minted.epoch) as session:
            yield session

    async def onboarded_site(self) -> str:
        """Return the id of the site that this run onboards."""
        async with self._database.reading() as session:
            row = await sites.find_site_of_run(session, self._minted.run_id)
        return self._require(row).id

    async def profile(self, site_id: str) -> Profile:
        """Return the site's profile; before it is made, an empty one with the site's address as its name."""
        async with self._database.reading() as session:
            row = self._require(await sites.find_site(session, site_id, self._minted.workspace_id))
        return Profile.model_validate(row.profile) if row.profile else Profile(name=row.url)

    async def is_being_read(self, site_id: str) -> bool:
        """Return whether the run that onboards the site is still active."""
        async with self._database.reading() as session:
            row = self._require(await sites.find_site(session, site_id, self._minted.workspace_id))
            reading = await find_run(session, row.run_id, self._minted.workspace_id)
        return reading is not None and reading.status in ACTIVE

    async def save_address(self, site_id: str, url: str) -> None:
        async with self._writing() as session:
            await sites.save_address(session, site_id, url)

    async def save_profile(self, site_id: str, profile: Profile) -> None:
        async with self._writing() as session:
            await sites.save_profile(session, site_id, profile)

    async def save_topics(self, site_id: str, topics: list[Topic]) -> None:
        async with self._writing() as session:
            await sites.save_topics(session, site_id, topics)

    async def save_page(self, site_id: str, page: ReadPage, notes: PageNotes, passages: Sequence[Passage]) -> None:
        blocks = [PageBlock(heading=passage.heading, text=passage.text) for passage in passages]
        async with self._writing() as session:
            await pages.save_page(session, site_id, page, notes, blocks)

    async def save_failure(self, site_id: str, url: str, reason: str) -> None:
        async with self._writing() as session:
            await pages.save_unread_page(session, site_id, url, reason)

    async def digests(self, site_id: str) -> list[PageDigest]:
        """Return a digest of each page of the site that was read."""
        async with self._database.reading() as session:
            return await pages.list_page_digests(session, site_id)

    async def passages(self, site_id: str, query: str, limit: int) -> list[Passage]:
        """Return the passages that fit the query, numbered `s1`, `s2`, …: best page first, in each page's order."""
        async with self._database.reading() as session:
            self._require(await sites.find_site(session, site_id, self._minted.workspace_id))
            found = await pages.find_passages(session, site_id, query, limit)
        rank = {page.id: place for place, (_, page) in reversed(list(enumerate(found)))}
        found.sort(key=lambda pair: (rank[pair[1].id], pair[0].position))
        return number_passages(
            Passage(id="s0", url=page.url, title=page.title or page.url, heading=row.heading, text=row.text)
            for row, page in found
        )

    @staticmethod
    def _require(row: SiteRow | None) -> SiteRow:
        if row is None:
            raise SiteUnknown("This site is not there any more.")
        return row
