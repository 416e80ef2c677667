"""Shipping: each event reaches SQL once and in order with any number of shippers, and the row agrees with the fold."""

from __future__ import annotations

import asyncio
import random

import pytest
from sqlalchemy.exc import IntegrityError

from app.contract import keys
from app.contract.events import (
    CommandRetry,
    Event,
    ModelCalled,
    RunCancelled,
    RunFailed,
    RunIncomplete,
    RunStarted,
    RunSucceeded,
    RunWaiting,
)
from app.contract.payloads import Ask, Called, ErrorData, Incomplete, Result, RetryData, Started, WaitingData
from app.contract.run import fold
from app.stores.archive import Shipment
from app.stores.log import Release
from tests.app.stores.stores import Stores, Taken
from tests.conftest import KEEP_MS

STARTED = RunStarted(data=Started(workflow="echo", version="1"))
CALLED = ModelCalled(step="w", attempt=1, data=Called(model="m", input_tokens=7, output_tokens=5, cost=0.25))


async def claim_again(stores: Stores) -> None:
    """Let every shipper's claim run out."""
    for run_id in await stores.redis.zrange(keys.UNSHIPPED, 0, -1):
        await stores.redis.zadd(keys.UNSHIPPED, {run_id: 0}, xx=True)


async def assert_archived_whole(stores: Stores, run_id: str) -> None:
    stream = [(cursor, fields["e"]) for cursor, fields in await stores.redis.xrange(keys.log_key(run_id))]
    assert await stores.archived(run_id) == stream
    assert (await stores.row(run_id)).shipped == stream[-1][0]


async def test_only_one_shipper_has_a_run_at_a_time(stores: Stores) -> None:
    run = await stores.start()
    await run.say("a")
    claims = await asyncio.gather(*(stores.unshipped.claim(10) for _ in range(10)))
    assert sorted(claims) == [[]] * 9 + [[run.run_id]]


async def test_entries_that_are_shipped_twice_are_archived_once(stores: Stores) -> None:
    run = await stores.start()
    await run.say("a", "b")
    entries = await stores.log.entries(run.run_id)
    shipped = await stores.archive.shipped(run.run_id)
    state = fold(run.run_id, await stores.log.read(run.run_id))
    shipment = Shipment(state, shipped, entries[1:])
    outcomes = await asyncio.gather(*(stores.archive.ship([shipment]) for _ in range(5)))
    assert sorted(outcomes) == [[]] * 4 + [[run.run_id]]
    await assert_archived_whole(stores, run.run_id)


async def test_a_batch_is_shipped_whole_or_not_at_all(stores: Stores) -> None:
    runs = [await stores.start() for _ in range(3)]
    shipments = []
    for run in runs:
        await run.say("a")
        entries = await stores.log.entries(run.run_id)
        shipped = await stores.archive.shipped(run.run_id)
        state = fold(run.run_id, await stores.log.read(run.run_id))
        shipments.append(Shipment(state, shipped, entries[1:]))
    twice = Shipment(shipments[1].run, shipments[1].shipped, [*shipments[1].entries, *shipments[1].entries])
    with pytest.raises(IntegrityError):
        await stores.archive.ship([shipments[0], twice, shipments[2]])
    for run in runs:
        assert len(await stores.archived(run.run_id)) == 1
    assert len(await stores.archive.ship(shipments)) == 3


@pytest.mark.parametrize("seed", range(4))
async def test_many_shippers_and_writers_lose_and_repeat_nothing(stores: Stores, seed: int) -> None:
    """Random interleavings: shippers whose claims run out on the way, writers, retries, and shippers that restart."""
    chance = random.Random(seed)
    runs = [await stores.start() for _ in range(8)]
    writing = True

    async def write(run: Taken) -> None:
        for number in range(chance.randint(3, 12)):
            await run.say(*(f"{number}.{part}" for part in range(chance.randint(1, 4))))
            if chance.random() < 0.1:
                await run.append(RunSucceeded(data=Result(output=number)), release="ended")
                await stores.command(run.run_id, CommandRetry(data=RetryData()), str(number))
                run = await stores.take(run.run_id)

    async def ship() -> None:
        archiver = stores.archiver()
        while writing:
            await claim_again(stores)
            await archiver.archive_batch()
            if chance.random() < 0.2:
                archiver = stores.archiver()

    async def write_all() -> None:
        nonlocal writing
        await asyncio.gather(*(write(run) for run in runs))
        writing = False

    await asyncio.gather(write_all(), *(ship() for _ in range(4)))
    await stores.ship()
    for run in runs:
        await assert_archived_whole(stores, run.run_id)
    assert await stores.redis.zcard(keys.UNSHIPPED) == 0


ENDS: list[tuple[Event, Release]] = [
    (RunSucceeded(data=Result(output=[1])), "ended"),
    (RunIncomplete(data=Incomplete(output=1, failed=["w/a"])), "ended"),
    (RunFailed(data=ErrorData(kind="Boom", message="no")), "ended"),
    (RunCancelled(), "ended"),
    (RunWaiting(data=WaitingData(asks=[Ask(ask="a", name="outline", step="w")])), "parked"),
    (CALLED, ""),
]


@pytest.mark.parametrize(("last", "release"), ENDS, ids=lambda value: getattr(value, "type", None))
async def test_the_row_agrees_with_the_fold(stores: Stores, last: Event, release: Release) -> None:
    run = await stores.start()
    await run.append(STARTED)
    await stores.ship()
    assert (await stores.row(run.run_id)).working_since == (await stores.log.fold(run.run_id)).started_at
    await run.append(CALLED, last, release=release)
    await stores.ship()
    row, folded = await stores.row(run.run_id), await stores.log.fold(run.run_id)
    assert (row.status, row.tokens, row.cost) == (folded.status, folded.tokens, folded.cost)
    assert (row.started_at, row.ended_at, row.shipped) == (folded.started_at, folded.ended_at, folded.cursor)
    assert (row.worked, row.working_since) == (folded.work.seconds, folded.work.since)
    assert row.sealed is folded.ended is (release == "ended")
    assert (row.status in ("queued", "running")) is (run.run_id in [r[0] for r in await stores.epochs.open_runs()])


async def test_a_stream_expires_after_it_was_sealed_unless_the_run_continues(stores: Stores) -> None:
    run = await stores.start()
    log = keys.log_key(run.run_id)
    await run.say("a")
    await stores.ship()
    assert await stores.redis.pttl(log) == -1
    await run.append(RunSucceeded(data=Result()), release="ended")
    assert await stores.redis.pttl(log) == -1
    await stores.ship()
    assert 0 < await stores.redis.pttl(log) <= KEEP_MS
    await stores.command(run.run_id, CommandRetry(data=RetryData()), "c")
    assert await stores.redis.pttl(log) == -1
    await stores.ship()
    assert await stores.redis.pttl(log) == -1
    assert (await stores.row(run.run_id)).sealed is False


async def test_a_late_seal_does_not_let_the_stream_expire(stores: Stores) -> None:
    """A retry is appended after the shipper has read the end."""
    run = await stores.start()
    end = await run.append(RunSucceeded(data=Result()), release="ended")
    await stores.command(run.run_id, CommandRetry(data=RetryData()), "c")
    assert await stores.unshipped.mark_shipped(run.run_id, end[0], sealed=True) is False
    assert await stores.redis.pttl(keys.log_key(run.run_id)) == -1
    assert await stores.unshipped.claim(10) == [run.run_id]


async def test_the_next_shipper_completes_what_a_dead_one_wrote_to_sql_only(stores: Stores) -> None:
    run = await stores.start()
    await run.append(RunSucceeded(data=Result()), release="ended")
    entries = await stores.log.entries(run.run_id)
    state = await stores.log.fold(run.run_id)
    await stores.archive.ship([Shipment(state, entries[0][0], entries[1:])])
    assert await stores.redis.pttl(keys.log_key(run.run_id)) == -1
    await stores.ship()
    await assert_archived_whole(stores, run.run_id)
    assert await stores.redis.pttl(keys.log_key(run.run_id)) > 0


async def test_shippers_of_the_same_runs_do_not_deadlock(stores: Stores) -> None:
    runs = [await stores.start() for _ in range(12)]
    shipments = []
    for run in runs:
        await run.say("a")
        entries = await stores.log.entries(run.run_id)
        shipments.append(Shipment(await stores.log.fold(run.run_id), entries[0][0], entries[1:]))
    turned = list(reversed(shipments))
    outcomes = await asyncio.gather(*(stores.archive.ship(batch) for batch in (shipments, turned) * 5))
    assert sorted(run_id for done in outcomes for run_id in done) == sorted(run.run_id for run in runs)
