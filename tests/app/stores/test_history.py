"""What a shipper read from a Redis that was lost is archived before the next epoch, or never.

Else its events would come into a history that went on without them: an end in the middle, a cancel that nobody heeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from app.contract.events import CommandCancel, RunSucceeded
from app.contract.payloads import Result
from app.stores.archive import Archive, Shipment
from tests.app.stores.stores import Stores, Taken
from worker.engine.archiver import Archiver


class HeldUp(Archive):
    """An archive whose shipper has read what there is, and is then held up."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(stores.database)
        self._unshipped = stores.unshipped
        self._archiver = Archiver(replace(stores, archive=self))
        self._read, self._go_on = asyncio.Event(), asyncio.Event()

    async def ship(self, shipments: Sequence[Shipment]) -> list[str]:
        self._read.set()
        await self._go_on.wait()
        return await super().ship(shipments)

    async def start(self) -> None:
        """Ship up to the point where it is held up."""
        self._shipping = asyncio.create_task(self._archiver.archive_batch())
        await self._read.wait()

    async def finish(self) -> None:
        self._go_on.set()
        await self._shipping


@pytest.fixture
async def run(stores: Stores) -> Taken:
    """A held run with an archived event."""
    run = await stores.start()
    await run.say("kept")
    await stores.ship()
    return run


async def lose_redis(stores: Stores, run_id: str) -> None:
    """All of it; a supervisor finds the run in SQL."""
    await stores.redis.flushall()
    assert await stores.leases.restore(run_id, "echo", "1")


async def test_what_was_read_before_the_loss_is_not_archived_after_the_next_epoch(stores: Stores, run: Taken) -> None:
    cancel = await stores.command(run.run_id, CommandCancel(), "c")
    await run.say("lost")
    await run.append(RunSucceeded(data=Result(output="lost")), release="ended", handled=cancel)
    late = HeldUp(stores)
    await late.start()
    await lose_redis(stores, run.run_id)
    new = await stores.take(run.run_id)
    assert await stores.texts(run.run_id) == ["kept"]
    await late.finish()
    assert await stores.texts(run.run_id) == ["kept"]
    await new.say("again")
    await stores.ship()
    archived = await stores.archived(run.run_id)
    assert archived == await stores.log.entries(run.run_id)
    assert [event.type for event in await stores.log.read(run.run_id)] == ["run.submitted"] + ["step.message"] * 2
    row = await stores.row(run.run_id)
    assert (row.status, row.sealed, row.shipped) == ("queued", False, archived[-1][0])


async def test_what_is_archived_before_the_next_epoch_is_part_of_it(stores: Stores, run: Taken) -> None:
    await run.say("saved")
    late = HeldUp(stores)
    await late.start()
    await lose_redis(stores, run.run_id)
    await late.finish()
    new = await stores.take(run.run_id)
    await new.say("again")
    assert await stores.texts(run.run_id) == ["kept", "saved", "again"]


async def test_an_epoch_that_was_minted_before_the_loss_is_not_taken_after_it(stores: Stores, run: Taken) -> None:
    """A shipper that saw the new epoch in SQL and read the old log then may still archive what was lost."""
    await run.say("saved")
    await stores.expire_lease(run.run_id)
    assert await stores.leases.reserve(run.run_id)
    early = await stores.mint(run.run_id)
    late = HeldUp(stores)
    await late.start()
    await lose_redis(stores, run.run_id)
    assert await stores.leases.take(run.run_id, early.epoch, "w", "echo", "1", shipped=early.shipped) is None
    await late.finish()
    assert await stores.leases.reserve(run.run_id)
    new = await stores.take(run.run_id)
    assert new.epoch == early.epoch + 1
    assert await stores.texts(run.run_id) == ["kept", "saved"]


async def test_a_run_that_was_reserved_is_taken_by_who_reserved_it(stores: Stores) -> None:
    run_id = await stores.submit()
    assert await stores.leases.reserve(run_id)
    assert await (await stores.take(run_id)).say("mine")


async def test_what_a_new_epoch_kept_from_being_archived_is_shipped_at_once(stores: Stores, run: Taken) -> None:
    """Nothing was lost: the run has only changed hands while a shipper had it."""
    await run.say("on its way")
    late = HeldUp(stores)
    await late.start()
    await stores.mint(run.run_id)
    await late.finish()
    assert len(await stores.archived(run.run_id)) == 2
    assert await stores.archiver().archive_batch() == 1
    assert len(await stores.archived(run.run_id)) == 3
