"""Accepting runs: one idempotency key creates one run, with any number of simultaneous requests."""

from __future__ import annotations

import asyncio

from app.contract.settings import Settings
from app.runs.submission import Submission
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.workspaces import add_workspace
from tests.app.stores.stores import Stores

URL = {"url": "https://example.com"}


async def test_one_of_many_web_processes_accepts_the_run(stores: Stores, settings: Settings, database_url: str) -> None:
    """Each web process has its own connections; every answer names the same run and site."""
    async with stores.database.writing() as session:
        await add_workspace(session, "ws_1")
    others = [Database(database_url) for _ in range(4)]
    webs = [
        Submission(settings, database, Log(stores.redis, stores.archive), Fleet(stores.redis)) for database in others
    ]
    accepted = await asyncio.gather(*(web.submit("onboard-site", URL, "ws_1", "key") for web in webs * 4))
    for database in others:
        await database.close()
    assert len({(one.run_id, one.site_id) for one in accepted}) == 1
    assert [one.repeated for one in accepted].count(False) == 1
    run_id = accepted[0].run_id
    assert [run[0] for run in await stores.epochs.open_runs()] == [run_id]
    assert [event.type for event in await stores.log.read(run_id)] == ["run.submitted"]
