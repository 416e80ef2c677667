"""Loss of Redis, of its last moments, or of its clock: runs resume from the shipped events, and cursors only rise."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from app.contract import keys
from app.contract.codec import encode_entry
from app.contract.cursors import START, is_after
from app.contract.errors import CursorGone, RunEnded, StaleEpoch
from app.contract.events import CommandAnswer, CommandCancel, CommandRetry, RunSucceeded, RunWaiting, StepMessage
from app.contract.payloads import AnswerData, Ask, Result, RetryData, WaitingData
from app.stores.log import Release
from app.stores.repositories.runs import add_run
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import RunRow
from tests.app.stores.stores import Stores, Taken, message

FUTURE_MS = 4_000_000_000_000
"""The year 2096: seen from there, Redis's clock went back."""


async def restore(stores: Stores, run_id: str) -> None:
    """Restore the run as a scheduler's sweep does."""
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
        await add_run(session, row, encode_entry(later))
    assert await stores.leases.restore("run_later", "echo", "")
    return await stores.take("run_later")


async def test_a_run_resumes_from_the_shipped_events(stores: Stores) -> None:
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


async def test_an_old_epoch_cannot_append_without_its_lease(stores: Stores) -> None:
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


async def test_cursors_rise_where_only_the_stream_was_lost(stores: Stores) -> None:
    """The stream was evicted or deleted while the run is held: the lease has its last cursor."""
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
async def test_a_run_that_is_waiting_or_ended_in_sql_is_not_taken(stores: Stores, ending: Release) -> None:
    """A worker still has a job of the lost Redis."""
    run = await stores.start()
    last = RunSucceeded(data=Result()) if ending == "ended" else RunWaiting(data=WaitingData(asks=[]))
    await run.append(last, release=ending)
    await stores.ship()
    await stores.redis.flushall()
    minted = await stores.mint(run.run_id)
    assert minted.state == ending
    taking = stores.leases.take(run.run_id, minted.epoch, "w", "echo", "1", state=minted.state, shipped=minted.shipped)
    assert await taking is None


@pytest.mark.parametrize("emptied", [False, True])
async def test_entries_that_only_sql_has_are_read_after_the_next_take(stores: Stores, emptied: bool) -> None:
    """Power failed between two writes of the append-only file, after the events were shipped."""
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


@asynccontextmanager
async def forgotten(stores: Stores, run_id: str, *, expire: bool = True) -> AsyncIterator[None]:
    """Let Redis lose what happens in this block, and SQL have it. The run's lease runs out if `expire`."""
    stream, lease = await stores.redis.xrange(keys.log_key(run_id)), await stores.lease(run_id)
    yield
    await stores.ship()
    await stores.redis.delete(keys.log_key(run_id))
    for cursor, fields in stream:
        await stores.redis.xadd(keys.log_key(run_id), fields, id=cursor)
    await stores.redis.delete(keys.lease_key(run_id))
    await stores.redis.hset(keys.lease_key(run_id), mapping=lease)
    if expire:
        await stores.expire_lease(run_id)


@pytest.fixture(params=["ended", "parked"])
async def rewound(request: pytest.FixtureRequest, stores: Stores) -> Taken:
    """Return a run that ended or was parked without Redis knowing."""
    run = await stores.start()
    await run.say("a")
    last = RunSucceeded(data=Result()) if request.param == "ended" else RunWaiting(data=WaitingData(asks=[]))
    async with forgotten(stores, run.run_id):
        await run.append(last, release=request.param)
    return run


async def test_a_run_that_is_waiting_or_ended_in_sql_is_not_recovered(stores: Stores, rewound: Taken) -> None:
    """After an end or a wait, only a command continues the log."""
    before = await stores.archived(rewound.run_id)
    due = await stores.find_due(rewound.run_id)
    position = await stores.archive.position(rewound.run_id)
    assert due is not None and position.state in ("ended", "parked")
    assert await stores.leases.claim(due, state=position.state, shipped=position.shipped) is None
    assert await stores.log.entries(rewound.run_id) == before
    assert (await stores.lease(rewound.run_id))["state"] == position.state
    assert not await stores.is_due(rewound.run_id) and not await stores.leases.reserve(rewound.run_id)
    cursor = await stores.command(rewound.run_id, CommandRetry(data=RetryData()), "c")
    assert await stores.is_due(rewound.run_id) and is_after(cursor, before[-1][0])


async def test_the_state_in_sql_decides_about_a_command_where_redis_is_behind(stores: Stores, rewound: Taken) -> None:
    before = await stores.archived(rewound.run_id)
    if (await stores.archive.position(rewound.run_id)).state == "ended":
        with pytest.raises(RunEnded):
            await stores.command(rewound.run_id, CommandCancel(), "c")
    cursor = await stores.command(rewound.run_id, CommandRetry(data=RetryData()), "d")
    assert [entry[0] for entry in await stores.log.entries(rewound.run_id)] == [*(c for c, _ in before), cursor]
    assert await stores.is_due(rewound.run_id)
    await stores.ship()
    assert (await stores.row(rewound.run_id)).status == "queued"


async def test_a_command_that_redis_lost_reaches_the_next_holder(stores: Stores) -> None:
    """The command was accepted and archived; the run's holder, alive all the time, never sees it."""
    run = await stores.start()
    await run.say("a")
    async with forgotten(stores, run.run_id, expire=False):
        cancel = await stores.command(run.run_id, CommandCancel(), "c")
    assert await stores.leases.renew(run.run_id, run.epoch) == START
    assert await stores.leases.restore(run.run_id, "echo", "1", cancel)
    with pytest.raises(StaleEpoch):
        await run.say("b")
    assert await stores.is_due(run.run_id)
    await stores.take(run.run_id)
    assert [command.id for command in (await stores.log.fold(run.run_id)).pending] == [cancel]
    assert not await stores.leases.restore(run.run_id, "echo", "1", cancel)


async def test_an_answer_that_redis_lost_makes_the_run_due(stores: Stores) -> None:
    run = await stores.start()
    await run.append(RunWaiting(data=WaitingData(asks=[Ask(ask="a1", name="o", step="w")])), release="parked")
    async with forgotten(stores, run.run_id, expire=False):
        answer = await stores.command(run.run_id, CommandAnswer(data=AnswerData(ask="a1", name="o", value=1)), "c")
    await stores.redis.zrem(keys.DUE, run.run_id)
    assert await stores.leases.restore(run.run_id, "echo", "1", answer)
    assert await stores.is_due(run.run_id)
    assert (await stores.log.fold(run.run_id)).answers["a1"].id == answer


@pytest.mark.parametrize("release", ["", "parked", "ended"])
async def test_a_run_that_redis_has_whole_is_not_restored(stores: Stores, release: Release) -> None:
    run = await stores.start()
    await run.append(message("a"), release=release)
    await stores.ship()
    before, lease = await stores.hot(run.run_id), await stores.lease(run.run_id)
    assert not await stores.leases.restore(run.run_id, "echo", "1", await stores.archive.shipped(run.run_id))
    assert (await stores.hot(run.run_id), await stores.lease(run.run_id)) == (before, lease)


async def test_a_run_that_was_taken_after_a_loss_is_not_restored(stores: Stores) -> None:
    run = await stores.start()
    await run.say("a")
    await stores.ship()
    await stores.redis.flushall()
    minted = await stores.mint(run.run_id)
    taken = await stores.leases.take(run.run_id, minted.epoch, "b", "echo", "1", shipped=minted.shipped)
    assert taken is not None
    assert not await stores.leases.restore(run.run_id, "echo", "1", minted.shipped)
    assert (await stores.lease(run.run_id))["last"] == minted.shipped  # what a later loss is seen by
    assert await Taken(stores, run.run_id, minted.epoch, minted.shipped, taken).say("mine")


async def test_an_open_run_is_recovered_after_its_last_archived_entry(stores: Stores) -> None:
    """Redis is behind and the run was open: the entries that it had lost are there again."""
    run = await start_in_the_future(stores)
    await run.say("a")
    async with forgotten(stores, run.run_id):
        await run.say("b")
    due = await stores.find_due(run.run_id)
    position = await stores.archive.position(run.run_id)
    assert due is not None
    assert await stores.leases.claim(due, state=position.state, shipped=position.shipped) is not None
    types = [event.type for event in await stores.log.read(run.run_id)]
    assert types == ["run.submitted", "step.message", "step.message", "run.recovered"]
    assert (await stores.log.fold(run.run_id)).cursor == f"{FUTURE_MS}-10"


async def test_submission_that_redis_missed_is_restored_with_its_first_event(stores: Stores) -> None:
    submitted = await stores.accept()
    run_id = submitted.data.title
    await restore(stores, run_id)
    await (await stores.take(run_id)).say("a")
    await stores.log.submit(run_id, "echo", encode_entry(submitted))  # the web process was slow
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
