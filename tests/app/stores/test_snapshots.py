"""Stored folds: each gives the same state as the whole log."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import col

from app.contract import keys
from app.contract.cursors import parse_cursor
from app.contract.events import CommandRetry, RunStarted, RunSucceeded
from app.contract.payloads import Result, RetryData, Started
from app.contract.run import Run, fold
from app.contract.snapshot import dump_run
from app.stores.archive import Shipment
from app.stores.snapshots import snapshot_row
from app.stores.tables import EventRow, SnapshotRow
from tests.app.stores.stores import Stores, Taken
from worker.engine.archiver import SEALED_EVENTS, SNAPSHOT_EVENTS
from worker.engine.snapshot_refresher import SnapshotRefresher

STARTED = RunStarted(data=Started(workflow="echo", version="1"))


async def long_run(stores: Stores, events: int = SNAPSHOT_EVENTS) -> Taken:
    """Return a run with a snapshot of so many events, and one event more."""
    run = await stores.start()
    await run.append(STARTED)
    await run.say(*map(str, range(events - 2)))
    await stores.ship()
    await run.say("after")
    return run


async def find(stores: Stores, run_id: str) -> SnapshotRow | None:
    async with stores.database.reading() as session:
        return await session.get(SnapshotRow, run_id)


async def change(stores: Stores, run_id: str, **values: Any) -> None:
    async with stores.database.writing() as session:
        await session.execute(update(SnapshotRow).where(col(SnapshotRow.run_id) == run_id).values(values))


async def forget_what_precedes(stores: Stores, run_id: str) -> None:
    """Delete the archived events: without a snapshot, the run's past is lost."""
    row = await find(stores, run_id)
    assert row is not None
    past = delete(EventRow).where(col(EventRow.run_id) == run_id, col(EventRow.ms) < row.ms)
    async with stores.database.writing() as session:
        await session.execute(past)
    await stores.redis.xtrim(keys.log_key(run_id), minid=f"{row.ms}-{row.seq}", approximate=False)


async def whole(stores: Stores, run_id: str) -> Run:
    """Return the fold of all entries."""
    return fold(run_id, await stores.log.read(run_id))


async def test_a_short_run_has_no_snapshot(stores: Stores) -> None:
    run = await stores.start()
    await run.say(*map(str, range(SEALED_EVENTS - 3)))
    await run.append(RunSucceeded(data=Result()), release="ended")
    await stores.ship()
    assert await find(stores, run.run_id) is None


async def test_a_long_run_is_folded_from_its_snapshot(stores: Stores) -> None:
    run = await long_run(stores)
    row, known = await find(stores, run.run_id), await whole(stores, run.run_id)
    assert row is not None and row.events == SNAPSHOT_EVENTS
    await forget_what_precedes(stores, run.run_id)
    assert await stores.log.fold(run.run_id) == known
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    assert await stores.log.fold(run.run_id) == known
    await run.append(RunSucceeded(data=Result(output=1)), release="ended")
    ended = await stores.log.fold(run.run_id)
    assert ended.output == 1 and len(ended.steps) == len(known.steps)


async def test_the_end_of_a_long_run_is_stored_when_it_is_sealed(stores: Stores) -> None:
    run = await stores.start()
    await run.say(*map(str, range(SEALED_EVENTS)))
    await stores.ship()
    assert await find(stores, run.run_id) is None
    await run.append(RunSucceeded(data=Result(output=[1])), release="ended")
    await stores.ship()
    row, known = await find(stores, run.run_id), await whole(stores, run.run_id)
    assert row is not None and f"{row.ms}-{row.seq}" == known.cursor
    await stores.redis.flushall()
    assert await stores.log.fold(run.run_id) == known
    await stores.command(run.run_id, CommandRetry(data=RetryData()), "c")
    assert (await stores.log.fold(run.run_id)).status == "queued"


async def test_a_new_shipper_resumes_from_the_snapshot(stores: Stores) -> None:
    run = await long_run(stores)
    await forget_what_precedes(stores, run.run_id)
    await run.append(RunSucceeded(data=Result(output=2)), release="ended")
    await stores.ship()
    row, folded = await stores.row(run.run_id), await stores.log.fold(run.run_id)
    assert (row.shipped, row.status, row.sealed) == (folded.cursor, "succeeded", True)
    assert row.started_at == folded.started_at is not None


async def test_an_unusable_snapshot_is_ignored(stores: Stores) -> None:
    run, other = await long_run(stores), await long_run(stores)
    row, known = await find(stores, run.run_id), await whole(stores, run.run_id)
    assert row is not None
    stored = {"ms": row.ms, "seq": row.seq, "format": row.format, "body": row.body}
    foreign = dump_run(await whole(stores, other.run_id))
    for bad in ({"format": "older"}, {"body": b"damaged"}, {"body": foreign}, {"ms": row.ms + 10**9}, {"seq": 10**6}):
        await change(stores, run.run_id, **{**stored, **bad})
        assert await stores.log.fold(run.run_id) == known, bad
        assert await stores.archive.snapshots([run.run_id]) == {}
    await stores.ship()
    assert (await stores.row(run.run_id)).shipped == known.cursor


async def test_the_snapshot_of_a_late_shipment_is_not_stored(stores: Stores) -> None:
    """Two shippers have read different ends of the log, as Redis has lost one of them in between."""
    run = await stores.start()
    shipped = await stores.archive.shipped(run.run_id)

    def shipment(entries: list[tuple[str, str]]) -> Shipment:
        state = Run(id=run.run_id, cursor=entries[-1][0])
        return Shipment(state, shipped, entries, snapshot_row(state, len(entries)))

    await run.say("lost", "too")
    lost = shipment(await stores.log.entries(run.run_id, shipped))
    await stores.redis.xtrim(keys.log_key(run.run_id), maxlen=0, approximate=False)
    await run.say("kept")
    kept = shipment(await stores.log.entries(run.run_id, shipped))
    assert await stores.archive.ship([kept]) == [run.run_id]
    other = await stores.start()
    before = await stores.archive.shipped(other.run_id)
    cursor = (await other.say("a"))[0]
    beside = Shipment(Run(id=other.run_id, cursor=cursor), before, [(cursor, "{}")])
    assert await stores.archive.ship([lost, beside]) == [other.run_id]
    row = await find(stores, run.run_id)
    assert row is not None and f"{row.ms}-{row.seq}" == kept.run.cursor


async def test_snapshot_that_is_ahead_of_a_rolled_back_log_is_ignored(stores: Stores) -> None:
    run = await long_run(stores)
    row = await find(stores, run.run_id)
    assert row is not None
    async with stores.database.writing() as session:
        await session.delete(await session.get_one(EventRow, (run.run_id, row.ms, row.seq)))
    await stores.redis.flushall()
    known = await whole(stores, run.run_id)
    assert (await stores.log.fold(run.run_id)) == known and known.cursor != f"{row.ms}-{row.seq}"


async def test_events_that_redis_loses_are_in_no_snapshot(stores: Stores) -> None:
    run = await long_run(stores)
    await run.say(*map(str, range(SNAPSHOT_EVENTS)))
    await stores.redis.flushall()
    row, folded = await find(stores, run.run_id), await stores.log.fold(run.run_id)
    assert row is not None and f"{row.ms}-{row.seq}" == folded.cursor == (await stores.row(run.run_id)).shipped
    again = await stores.take(run.run_id)
    await again.say("another")
    assert await stores.log.fold(run.run_id) == await whole(stores, run.run_id)


async def test_snapshots_of_another_version_are_renewed(stores: Stores) -> None:
    ended, going = await long_run(stores), await long_run(stores)
    await ended.append(RunSucceeded(data=Result()), release="ended")
    await stores.ship()
    for run in (ended, going):
        await change(stores, run.run_id, format="older")
    refresher = SnapshotRefresher(stores.archive)
    for _ in range(3):
        await refresher.refresh_one()
    for run in (ended, going):
        known = await whole(stores, run.run_id)
        found = (await stores.archive.snapshots([run.run_id]))[run.run_id]
        async with stores.database.reading() as session:
            archived = list(await session.scalars(select(EventRow).where(col(EventRow.run_id) == run.run_id)))
        assert found.run == known and found.events == len(archived)
        assert parse_cursor(found.run.cursor) == max((row.ms, row.seq) for row in archived)
