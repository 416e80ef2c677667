"""Worlds for the shipped workflows: real SQL with its fences, the fixture site, the author who needs no model."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.content.urls import candidate_addresses
from app.content.values import OnboardInput, PostBrief
from app.contract.settings import Settings
from app.stores.database import Database
from app.stores.epochs import Epochs
from app.stores.tables import RunRow, SiteRow, Workspace
from tests.chaos.stumbling import StumblingAuthor
from tests.sites.server import FixtureSite
from tests.support.site_rows import SITE, WORKSPACE, add_read_site
from worker.agents.author import Author
from worker.agents.extractive_author import ExtractiveAuthor
from worker.crawl.site import SiteReader
from worker.engine.site_knowledge import SiteKnowledge
from worker.testing import Scenario

RUN = "run_chaos"


class Worlds:
    """Makes a world with a database of its own for each run."""

    def __init__(self, settings: Settings, empty: Path, folder: Path, site: FixtureSite) -> None:
        self._settings = settings.model_copy(update={"crawl_allow": frozenset({site.host_port}), "crawl_max_pages": 4})
        self._empty = empty
        self._folder = folder
        self._site = site
        self._made = 0

    @asynccontextmanager
    async def onboarding(self, *, stumbles: bool = False) -> AsyncIterator[Scenario]:
        """A site that is to be read."""
        async with self.reading(self._site.url + "/", SiteReader(self._settings.crawl_allow), stumbles) as (world, _):
            yield world

    @asynccontextmanager
    async def reading(
        self, typed: str, reader: SiteReader, stumbles: bool = False
    ) -> AsyncIterator[tuple[Scenario, Database]]:
        """A site that is to be read by this reader, at the address that somebody typed; and its database."""
        async with self._database() as database:
            value = OnboardInput(url=typed)
            async with database.writing() as session:
                session.add(Workspace(id=WORKSPACE))
            async with database.writing() as session:
                session.add(_run_row("onboard-site", value.model_dump(mode="json")))
                await session.flush()
                session.add(SiteRow(id=SITE, workspace_id=WORKSPACE, run_id=RUN, url=candidate_addresses(value.url)[0]))
            async with self._world(database, value, stumbles, reader) as world:
                yield world, database

    @asynccontextmanager
    async def writing(self, *, approve_outline: bool = False, stumbles: bool = False) -> AsyncIterator[Scenario]:
        """A site that was read, and a post that is to be written from it."""
        async with self._database() as database:
            value = PostBrief(site_id=SITE, topic="cargo bikes and winter tyres", approve_outline=approve_outline)
            await add_read_site(database)
            async with database.writing() as session:
                session.add(_run_row("write-post", value.model_dump(mode="json")))
            async with self._world(database, value, stumbles, SiteReader()) as world:
                yield world

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Database]:
        self._made += 1
        path = self._folder / f"{self._made}.db"
        shutil.copy(self._empty, path)
        database = Database(f"sqlite+aiosqlite:///{path}")
        try:
            yield database
        finally:
            await database.close()
            path.unlink()

    @asynccontextmanager
    async def _world(
        self, database: Database, value: Any, stumbles: bool, reader: SiteReader
    ) -> AsyncIterator[Scenario]:
        epochs = Epochs(database)
        # One for all workers of the run: what an author has stumbled over once stays behind, whoever asks again.
        author = StumblingAuthor() if stumbles else ExtractiveAuthor()
        async with reader:

            async def wire(epoch: int) -> Mapping[Any, Any]:
                # The epoch is minted in SQL, as every worker does: what the dead one still tries to write is refused.
                minted = await epochs.mint(RUN)
                assert minted is not None
                assert minted.epoch == epoch
                knowledge = SiteKnowledge(database, epochs, minted)
                return {Author: author, SiteReader: reader, Settings: self._settings, SiteKnowledge: knowledge}

            yield Scenario(value, wire, RUN, ends="incomplete" if stumbles else "succeeded")


def _run_row(workflow: str, value: Any) -> RunRow:
    return RunRow(id=RUN, workspace_id=WORKSPACE, workflow=workflow, title="Chaos", input=value)
