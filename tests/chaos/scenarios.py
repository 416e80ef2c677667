"""Scenarios for the shipped workflows: real SQL with its epochs, the fixture site, the author who needs no model."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from app.content.urls import schemes_of
from app.content.values import OnboardInput, PostBrief
from app.contract.settings import Settings
from app.stores.database import Database
from app.stores.epochs import Epochs
from app.stores.tables import RunRow, SiteRow, Workspace
from tests.chaos.failing_author import FailingAuthor
from tests.sites.server import FixtureSite
from tests.support.site_rows import SITE, WORKSPACE, add_read_site
from worker.agents.author import Author
from worker.agents.extractive_author import ExtractiveAuthor
from worker.crawl.site import SiteReader
from worker.engine.site_knowledge import SiteKnowledge
from worker.testing import Scenario

RUN = "run_chaos"


class WorkflowScenarios:
    """Opens a scenario with a database of its own for each run."""

    def __init__(self, settings: Settings, empty: Path, folder: Path, site: FixtureSite) -> None:
        self._settings = settings.model_copy(update={"crawl_allow": frozenset({site.host_port}), "crawl_max_pages": 4})
        self._empty = empty
        self._folder = folder
        self._site = site
        self._databases = 0

    @asynccontextmanager
    async def onboarding(self, *, author_fails: bool = False) -> AsyncIterator[Scenario]:
        """Open a scenario in which a site is to be read."""
        async with self.reading(self._site.url + "/", SiteReader(self._settings.crawl_allow), author_fails) as (
            scenario,
            _,
        ):
            yield scenario

    @asynccontextmanager
    async def reading(
        self, typed: str, reader: SiteReader, author_fails: bool = False
    ) -> AsyncIterator[tuple[Scenario, Database]]:
        """Open one in which this reader is to read the site at the address that somebody typed; also its database."""
        async with self._database() as database:
            value = OnboardInput(url=typed)
            async with database.writing() as session:
                session.add(Workspace(id=WORKSPACE))
            async with database.writing() as session:
                session.add(_run_row("onboard-site", value.model_dump(mode="json")))
                await session.flush()
                session.add(SiteRow(id=SITE, workspace_id=WORKSPACE, run_id=RUN, url=schemes_of(value.url)[0]))
            async with self._scenario(database, value, author_fails, reader) as scenario:
                yield scenario, database

    @asynccontextmanager
    async def writing(self, *, approve_outline: bool = False, author_fails: bool = False) -> AsyncIterator[Scenario]:
        """Open a scenario in which a site was read, and a post is to be written from it."""
        async with self._database() as database:
            value = PostBrief(site_id=SITE, topic="cargo bikes and winter tyres", approve_outline=approve_outline)
            await add_read_site(database)
            async with database.writing() as session:
                session.add(_run_row("write-post", value.model_dump(mode="json")))
            async with self._scenario(database, value, author_fails, SiteReader()) as scenario:
                yield scenario

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[Database]:
        self._databases += 1
        path = self._folder / f"{self._databases}.db"
        shutil.copy(self._empty, path)
        database = Database(f"sqlite+aiosqlite:///{path}")
        try:
            yield database
        finally:
            await database.close()
            path.unlink()

    @asynccontextmanager
    async def _scenario(
        self, database: Database, value: Any, author_fails: bool, reader: SiteReader
    ) -> AsyncIterator[Scenario]:
        epochs = Epochs(database)
        # One for all workers of the run: where the author has failed once it does not fail again, whoever asks.
        author = FailingAuthor() if author_fails else ExtractiveAuthor()
        async with reader:

            async def wire(epoch: int) -> Mapping[Any, Any]:
                # The epoch is minted in SQL, as every worker does: what a killed one still tries to write is refused.
                minted = await epochs.mint(RUN)
                assert minted is not None
                assert minted.epoch == epoch
                knowledge = SiteKnowledge(database, epochs, minted)
                return {Author: author, SiteReader: reader, Settings: self._settings, SiteKnowledge: knowledge}

            yield Scenario(value, wire, RUN, ends="incomplete" if author_fails else "succeeded")


def _run_row(workflow: str, value: Any) -> RunRow:
    return RunRow(id=RUN, workspace_id=WORKSPACE, workflow=workflow, title="Chaos", input=value)
