"""The holder of a worker's runs, when errors happen around a run."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from pydantic_core import PydanticSerializationError
from redis.asyncio import Redis

from app.contract import keys
from app.contract.events import CommandCancel, RunHandedOver, StepMessage
from app.contract.payloads import Message
from app.contract.settings import Settings
from app.runs.submission import Submission
from app.stores.database import Database
from app.stores.epochs import Epochs, Minted
from app.stores.leases import Leases
from app.stores.log import ArchivedState
from app.stores.stores import Stores
from app.stores.tables import Workspace
from tests.conftest import LEASE_MS
from worker.engine.holder import LONGEST_PAUSE, ResourceFactory, RunHolder, WorkerIdentity
from worker.engine.log_journal import LogJournal
from worker.runtime import Workflows, component, say, workflow


@component
async def shout(text: str) -> str:
    say(text)
    return text.upper()


@workflow("shouting")
async def shouting(text: str) -> str:
    """Return the text in capitals."""
    return await shout(text)


def no_resources(minted: Minted, epochs: Epochs) -> Mapping[Any, Any]:
    return {}


class FailingOnce:
    """A factory of resources that fails the first time."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def __call__(self, minted: Minted, epochs: Epochs) -> Mapping[Any, Any]:
        if not self.asked.is_set():
            self.asked.set()
            raise ZeroDivisionError("a bug in the wiring")
        return {}


class Holders:
    """Creates holders, and runs for them."""

    def __init__(self, stores: Stores, submission: Submission) -> None:
        self.stores, self.submission = stores, submission
        self.log, self.leases, self.epochs = stores.log, stores.leases, stores.epochs

    def create(self, build_resources: ResourceFactory = no_resources, **settings: Any) -> RunHolder:
        identity, workflows = WorkerIdentity("w1", "test"), Workflows([shouting])
        return RunHolder(identity, workflows, self.stores, build_resources, **settings)

    async def submit(self) -> str:
        return (await self.submission.submit("shouting", "hello", "ws_1")).run_id


@pytest.fixture
async def holders(stores: Stores, settings: Settings) -> Holders:
    async with stores.database.writing() as session:
        session.add(Workspace(id="ws_1"))
    await stores.fleet.announce([shouting.manifest()])
    return Holders(stores, Submission(settings, stores.database, stores.log, stores.fleet))


async def test_two_jobs_for_one_run_mint_one_epoch(holders: Holders) -> None:
    run_id = await holders.submit()
    holder = holders.create()

    await asyncio.gather(holder.hold(run_id), holder.hold(run_id))

    run = await holders.log.fold(run_id)
    assert (run.status, run.output, run.epoch) == ("succeeded", "HELLO", 1)
    minted = await holders.epochs.mint(run_id)
    assert minted is not None
    assert minted.epoch == 2


async def test_a_bug_around_a_run_hands_it_over_and_harms_nothing_else(holders: Holders) -> None:
    run_id = await holders.submit()
    resources = FailingOnce()
    holder = holders.create(resources)
    await holder.start(run_id)
    await resources.asked.wait()
    # Draining ends the pause that keeps a run which always fails from being tried all the time.
    await holder.drain(0)

    run = await holders.log.fold(run_id)
    assert (run.status, holder.runs) == ("queued", [])
    assert "ZeroDivisionError" in run.reason
    assert [due.run_id for due in await holders.leases.find_due(10)] == [run_id]
    other = holders.create(resources)
    await other.hold(run_id)
    assert (await holders.log.fold(run_id)).status == "succeeded"


async def test_a_cancel_reaches_a_run_that_is_kept_back(holders: Holders) -> None:
    run_id = await holders.submit()
    resources = FailingOnce()
    holder = holders.create(resources, first_pause=LONGEST_PAUSE)
    holding = asyncio.create_task(holder.hold(run_id))
    await resources.asked.wait()
    await holders.log.command(run_id, CommandCancel(), "c", ArchivedState("queued", "", "shouting", "1"))

    async with asyncio.timeout(LONGEST_PAUSE / 2):
        await holding
    handed_over = (await holders.log.read(run_id))[-1]
    assert isinstance(handed_over, RunHandedOver) and handed_over.data.trouble
    await holder.hold(run_id)
    assert (await holders.log.fold(run_id)).status == "cancelled"


async def test_a_fact_that_cannot_be_written_is_an_error_and_no_standstill(holders: Holders) -> None:
    run_id = await holders.submit()
    minted = await holders.epochs.mint(run_id)
    assert minted is not None
    newest = await holders.leases.take(run_id, minted.epoch, "w1", "shouting", "1")
    assert newest is not None
    async with LogJournal(
        holders.log, run_id, minted.epoch, lease_ms=10_000, floor=minted.shipped, newest_command=newest
    ) as journal:
        half = StepMessage(step="shouting", epoch=minted.epoch, data=Message(text="\ud83d"))
        journal.emit(half)
        with pytest.raises(PydanticSerializationError):
            await journal.commit()

        await journal.abandon("it cannot be written")

    assert (await holders.log.fold(run_id)).reason == "it cannot be written"


async def test_a_holder_that_leaves_takes_nothing(holders: Holders) -> None:
    run_id = await holders.submit()
    holder = holders.create()
    await holder.drain(1)

    await holder.hold(run_id)

    assert (await holders.log.fold(run_id)).epoch == 0
    assert [due.run_id for due in await holders.leases.find_due(10)] == [run_id]


class SlowEpochs(Epochs):
    """SQL that is slow to commit: each minting takes this long (seconds)."""

    def __init__(self, database: Database, seconds: float) -> None:
        super().__init__(database)
        self._seconds = seconds
        self.minted = 0

    async def mint(self, run_id: str, serves: Mapping[str, str] | None = None) -> Minted | None:
        minted = await super().mint(run_id, serves)
        self.minted += 1
        await asyncio.sleep(self._seconds)
        return minted


async def test_a_slow_mint_keeps_its_reservation(holders: Holders, redis: Redis, database: Database) -> None:
    """Let minting take longer than a reservation holds: one worker takes the run, and the other does not mint."""
    run_id = await holders.submit()
    slow = SlowEpochs(database, 0.3)
    rivals = []
    for _ in range(2):
        holders.stores = replace(holders.stores, leases=Leases(redis, LEASE_MS, reserved_ms=100), epochs=slow)
        rivals.append(holders.create())

    async def keep_trying(holder: RunHolder) -> None:
        while not (await holders.log.fold(run_id)).ended:
            await holder.hold(run_id)
            await asyncio.sleep(0.01)

    await asyncio.gather(*map(keep_trying, rivals))
    run = await holders.log.fold(run_id)
    assert (run.status, run.epoch, slow.minted) == ("succeeded", 1, 1)


async def test_a_dead_workers_reservation_ends_by_itself(holders: Holders, redis: Any) -> None:
    run_id = await holders.submit()
    frozen, alive = (Leases(redis, LEASE_MS, reserved_ms=50) for _ in range(2))
    assert await frozen.reserve(run_id)
    while not await alive.reserve(run_id):
        await asyncio.sleep(0.01)
    before = await redis.hgetall(keys.lease_key(run_id))
    await frozen.keep_reserved(run_id, asyncio.sleep(0.1))  # it comes too late
    assert await redis.hgetall(keys.lease_key(run_id)) == before
