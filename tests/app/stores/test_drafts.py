"""Drafts of answers, on both databases."""

from __future__ import annotations

import asyncio

from app.contract.events import RunCancelled
from app.runs.drafts import Drafts
from app.stores.database import Database
from app.stores.repositories.drafts import list_drafts, save_draft
from app.stores.tables import DraftRow
from tests.app.stores.stores import Stores


async def drafts_of(database: Database, run_id: str) -> dict[str, object]:
    async with database.reading() as session:
        return {row.ask: row.typed for row in await list_drafts(session, run_id)}


async def test_tabs_that_type_at_once_leave_one_draft(stores: Stores) -> None:
    run_id = (await stores.start()).run_id

    async def keep(number: int) -> None:
        async with stores.database.writing() as session:
            await save_draft(session, DraftRow(run_id=run_id, ask=f"a{number % 2}", typed={"tab": number}))

    await asyncio.gather(*map(keep, range(12)))
    found = await drafts_of(stores.database, run_id)
    assert sorted(found) == ["a0", "a1"]
    await keep(20)
    assert (await drafts_of(stores.database, run_id))["a0"] == {"tab": 20}


async def test_the_end_of_a_run_deletes_its_drafts(stores: Stores) -> None:
    ending, other = await stores.start(), await stores.start()
    for run_id in (ending.run_id, other.run_id):
        async with stores.database.writing() as session:
            await save_draft(session, DraftRow(run_id=run_id, ask="a1", typed="\0 \ud800 {"))
    await stores.ship()
    assert await drafts_of(stores.database, ending.run_id) == {"a1": "\0 \ud800 {"}, "it goes on"
    await ending.append(RunCancelled(epoch=ending.epoch), release="ended")
    await stores.ship()
    assert await drafts_of(stores.database, ending.run_id) == {}
    assert await Drafts(stores.database, stores.log).list_asks(other.run_id) == {"a1"}
