"""Redis lost all, its last moments, or its clock: SQL goes on from what was shipped, with cursors that only rise."""

from __future__ import annotations

import pytest

from app.contract import keys
from app.contract.cursors import is_after
from app.contract.errors import CursorGone, StaleEpoch
from app.contract.events import RunSucceeded, RunWaiting, StepMessage
from app.contract.payloads import Result, Waiting
from app.stores.log import Release
from app.stores.repositories.runs import accept_run
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import RunRow
from tests.stores.stores import Stores, Taken, message

FUTURE_MS = 4_000_000_000_000
"""The year 2096: seen from there, Redis's clock went back."""


async def restore(stores: Stores, run_id: str) -> None:
    """As a supervisor's sweep does."""
    for open_id, workflow, version in await stores.epochs.open_runs():
        if open_id == run_id:
            assert await stores.leases.restore(open_id, workflow, version)


async def start_in_the_future(stores: Stores) -> Taken:
    """A held run whose first event was archived when Redis's clock showed a later time."""
    submitted = await stores.accept()
    later = submitted.model_copy(update={"id": f"{FUTURE_MS}-7"})
    async with stores.database.writing() as session:
        await add_workspace(session, "later")
        row = RunRow(id="run_later", workspace_id="later", workflow="echo", title="later", input=None)
        await accept_run(session, row, later)
    assert await stores.leases.restore("run_later", "echo", "")
    return await stores.take("run_later")


async def test_run_goes_on_from_what_was_shipped(stores: Stores) -> None:
    old = await stores.start()
    await old.say("kept")
    await stores.ship()
    lost = await old.say("lost")
    await stores.redis.flushall()
    with pytest.raises(StaleEpoch):
        await old.say("too late")
    await restore(stores, old.run_id)
    with pytest.raises(StaleEpoch):
        await old.say("too late")
    new = await stores.take(old.run_id)
    assert new.epoch > old.epoch
    again = await new.say("again")
    with pytest.raises(StaleEpoch):
        await old.say("too late")
    assert await stores.texts(old.run_id) == ["kept", "again"]
    assert is_after(again[0], new.floor)
    with pytest.raises(CursorGone):
        await stores.log.check_cursor(old.run_id, lost[0])
    await stores.ship()
    assert [cursor for cursor, _ in await stores.archived(old.run_id)][-1] == again[0]


async def test_old_epoch_never_comes_back_without_its_lease(stores: Stores) -> None:
    old = await stores.start()
    await stores.redis.flushall()
    assert (await stores.mint(old.run_id)).epoch == old.epoch + 1
    with pytest.raises(StaleEpoch):
        await stores.leases.renew(old.run_id, old.epoch)


async def test_cursors_rise_although_the_clock_went_back(stores: Stores) -> None:
    run = await start_in_the_future(stores)
    first = await run.say("a", "b")
    second = await run.say("c")
    assert [*first, *second] == [f"{FUTURE_MS}-{seq}" for seq in (8, 9, 10)]
    assert await stores.texts(run.run_id) == ["a", "b", "c"]
    assert await stores.texts(run.run_id, first[0]) == ["b", "c"]
    await stores.ship()
    await stores.redis.flushall()
    await restore(stores, run.run_id)
    await (await stores.take(run.run_id)).say("d")
    assert await stores.texts(run.run_id) == ["a", "b", "c", "d"]


async def test_cursors_rise_also_when_only_the_stream_went(stores: Stores) -> None:
    """Evicted or deleted while the run is held: what it had reached stands in the lease."""
    run = await start_in_the_future(stores)
    await run.say("a", "b")
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    assert await run.say("c") == [f"{FUTURE_MS}-10"]
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    await stores.expire_lease(run.run_id)
    due = await stores.find_due(run.run_id)
    assert due is not None and await stores.leases.claim(due) is not None
    assert await stores.hot(run.run_id) == [f"{FUTURE_MS}-11"]
    assert await stores.texts(run.run_id) == ["a", "b", "c"]


@pytest.mark.parametrize("ending", ["ended", "parked"])
async def test_what_waits_or_ended_in_sql_is_not_taken(stores: Stores, ending: Release) -> None:
    """A job outlived the Redis that brought it."""
    run = await stores.start()
    last = RunSucceeded(data=Result()) if ending == "ended" else RunWaiting(data=Waiting(asks=[]))
    await run.append(last, release=ending)
    await stores.ship()
    await stores.redis.flushall()
    minted = await stores.mint(run.run_id)
    assert minted.state == ending
    taking = stores.leases.take(run.run_id, minted.epoch, "w", "echo", "1", state=minted.state, shipped=minted.shipped)
    assert await taking is None


@pytest.mark.parametrize("emptied", [False, True])
async def test_what_redis_forgot_but_sql_has_is_read_again_after_the_next_take(stores: Stores, emptied: bool) -> None:
    """Power was lost between two writes of the append-only file, and a shipper had been quicker."""
    run = await stores.start()
    await run.say("a")
    dump = await stores.redis.xrange(keys.log_key(run.run_id))
    lease = await stores.lease(run.run_id)
    await run.say("b")
    await run.say("c")
    await stores.ship()
    await stores.redis.delete(keys.log_key(run.run_id))
    for cursor, fields in dump:
        await stores.redis.xadd(keys.log_key(run.run_id), fields, id=cursor)
    await stores.redis.hset(keys.lease_key(run.run_id), mapping=lease)
    with pytest.raises(StaleEpoch):
        await run.say("d")
    await stores.expire_lease(run.run_id)
    if not emptied:
        due = await stores.find_due(run.run_id)
        assert due is not None and await stores.leases.claim(due) is not None
    minted = await stores.mint(run.run_id)
    await stores.leases.take(run.run_id, minted.epoch, "w", "echo", "1", shipped=minted.shipped)
    # An empty stream would remember only the last id that Redis has not forgotten, and not what is archived.
    assert await stores.redis.exists(keys.log_key(run.run_id)) == (not emptied)
    new = Taken(stores, run.run_id, minted.epoch, minted.shipped, "0-0")
    await new.say("d")
    assert await stores.texts(run.run_id) == ["a", "b", "c", "d"]
    await stores.ship()
    archived = [cursor for cursor, _ in await stores.archived(run.run_id)]
    assert archived == [event.id for event in await stores.log.read(run.run_id)]


async def test_submission_that_redis_missed_is_restored_with_its_first_event(stores: Stores) -> None:
    submitted = await stores.accept()
    run_id = submitted.data.title
    await restore(stores, run_id)
    await (await stores.take(run_id)).say("a")
    await stores.log.submit(run_id, submitted)  # the web process was slow
    events = await stores.log.read(run_id)
    assert [event.type for event in events] == ["run.submitted", "step.message"]
    assert isinstance(events[1], StepMessage) and events[0].id == submitted.id
    await stores.ship()
    assert len(await stores.archived(run_id)) == 2


async def test_messages_after_a_lost_stream_are_read_from_both(stores: Stores) -> None:
    run = await stores.start()
    for round_number in range(4):
        await run.append(message(f"{round_number}.a"), message(f"{round_number}.b"))
        await stores.ship()
        await stores.redis.flushall()
        await restore(stores, run.run_id)
        run = await stores.take(run.run_id)
    assert await stores.texts(run.run_id) == [f"{n}.{letter}" for n in range(4) for letter in "ab"]
