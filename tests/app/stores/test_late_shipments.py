"""Late shipments: entries read from a Redis that was then lost are archived before the next epoch, or never.

Else they would enter a log that has continued without them: an end in its middle, a cancel that nobody applies.
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
    """An archive whose shipper has read the stream, and then waits."""

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
    """Lose all of Redis. A scheduler then finds the run in SQL."""
    await stores.redis.flushall()
    assert await stores.leases.restore(run_id, "echo", "1")


async def test_entries_read_before_the_loss_are_not_archived_after_the_next_epoch(stores: Stores, run: Taken) -> None:
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


async def test_entries_archived_before_the_next_epoch_are_part_of_its_log(stores: Stores, run: Taken) -> None:
    await run.say("saved")
    late = HeldUp(stores)
    await late.start()
    await lose_redis(stores, run.run_id)
    await late.finish()
    new = await stores.take(run.run_id)
    await new.say("again")
    assert await stores.texts(run.run_id) == ["kept", "saved", "again"]


async def test_an_epoch_that_was_minted_before_the_loss_is_not_taken_after_it(stores: Stores, run: Taken) -> None:
    """A shipper that saw the new epoch in SQL and then read the old log may still archive lost entries."""
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


async def test_a_reserved_run_is_taken_by_the_worker_that_reserved_it(stores: Stores) -> None:
    run_id = await stores.submit()
    assert await stores.leases.reserve(run_id)
    assert await (await stores.take(run_id)).say("mine")


async def test_entries_refused_because_of_a_new_epoch_are_shipped_at_once(stores: Stores, run: Taken) -> None:
    """Nothing was lost: the run only changed hands while it was being shipped."""
    await run.say("on its way")
    late = HeldUp(stores)
    await late.start()
    await stores.mint(run.run_id)
    await late.finish()
    assert len(await stores.archived(run.run_id)) == 2
    assert await stores.archiver().archive_batch() == 1
    assert len(await stores.archived(run.run_id)) == 3
