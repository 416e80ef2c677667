"""Epochs: each is minted once, and SQL refuses writes of an old one."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import update
from sqlmodel import col

from app.contract.errors import StaleEpoch
from app.stores.database import Database
from app.stores.epochs import Epochs
from app.stores.tables import RunRow
from tests.app.stores.stores import Stores


async def test_simultaneously_minted_epochs_are_unique_and_rise(stores: Stores) -> None:
    run_id = (await stores.accept(value={"text": "hi"})).data.title
    minted = await asyncio.gather(*(stores.mint(run_id) for _ in range(20)))
    assert sorted(m.epoch for m in minted) == list(range(1, 21))
    row = await stores.row(run_id)
    assert row.epoch == 20
    assert {(m.workspace_id, m.workflow, m.shipped, m.state) for m in minted} == {
        (row.workspace_id, "echo", row.shipped, "queued")
    }
    assert minted[0].input == {"text": "hi"}
    in_turn = [(await stores.mint(run_id)).epoch for _ in range(3)]
    assert in_turn == [21, 22, 23]


async def test_minting_touches_no_other_run(stores: Stores) -> None:
    one, other = (await stores.accept()).data.title, (await stores.accept()).data.title
    await stores.mint(one)
    assert (await stores.row(other)).epoch == 0


async def rename(stores: Stores, run_id: str, epoch: int) -> None:
    async with stores.epochs.fenced(run_id, epoch) as session:
        await session.execute(update(RunRow).where(col(RunRow.id) == run_id).values(title="renamed"))


@pytest.mark.parametrize(
    ("ran", "serves", "taken"),
    [
        ("", {"echo": "1"}, True),
        ("1", {"echo": "1"}, True),
        ("9", {"echo": "10"}, True),
        ("10", {"echo": "9"}, False),
        ("1", {"other": "1"}, False),
    ],
)
async def test_only_served_workflows_get_an_epoch(
    stores: Stores, ran: str, serves: dict[str, str], taken: bool
) -> None:
    run_id = (await stores.accept()).data.title
    async with stores.database.writing() as session:
        await session.execute(update(RunRow).where(col(RunRow.id) == run_id).values(workflow="echo", version=ran))
    minted = await stores.epochs.mint(run_id, serves)
    assert (minted is not None) is taken
    row = await stores.row(run_id)
    assert (row.epoch, row.version) == ((1, serves["echo"]) if taken else (0, ran))


async def test_unknown_run_has_no_epoch(stores: Stores) -> None:
    assert await stores.epochs.mint("run_unknown") is None
    with pytest.raises(StaleEpoch):
        async with stores.epochs.fenced("run_unknown", 1):
            pass


@pytest.mark.parametrize("epoch", [0, 1, 3])
async def test_writes_of_another_epoch_are_refused(stores: Stores, epoch: int) -> None:
    run_id = (await stores.accept()).data.title
    await stores.mint(run_id)
    await stores.mint(run_id)
    with pytest.raises(StaleEpoch):
        await rename(stores, run_id, epoch)
    assert (await stores.row(run_id)).title == run_id
    await rename(stores, run_id, 2)
    assert (await stores.row(run_id)).title == "renamed"


async def test_a_fenced_session_that_raises_is_rolled_back(stores: Stores) -> None:
    run_id = (await stores.accept()).data.title
    epoch = (await stores.mint(run_id)).epoch
    with pytest.raises(ZeroDivisionError):
        async with stores.epochs.fenced(run_id, epoch) as session:
            await session.execute(update(RunRow).where(col(RunRow.id) == run_id).values(title="half"))
            raise ZeroDivisionError
    assert (await stores.row(run_id)).title == run_id


async def test_nobody_mints_while_a_fenced_session_writes(stores: Stores, database_url: str) -> None:
    """The other process's mint waits for the commit: no write of the old epoch comes after the new one."""
    run_id = (await stores.accept()).data.title
    epoch = (await stores.mint(run_id)).epoch
    other = Database(database_url)
    try:
        async with stores.epochs.fenced(run_id, epoch) as session:
            minting = asyncio.create_task(Epochs(other).mint(run_id))
            done, _ = await asyncio.wait({minting}, timeout=0.3)
            assert not done
            await session.execute(update(RunRow).where(col(RunRow.id) == run_id).values(title="written"))
            assert (await stores.row(run_id)).epoch == epoch
        minted = await minting
    finally:
        await other.close()
    assert minted is not None and minted.epoch == epoch + 1
    assert (await stores.row(run_id)).title == "written"
    with pytest.raises(StaleEpoch):
        await rename(stores, run_id, epoch)
