"""Leases: claiming, reserving, taking and renewing, and the runs that nobody may take."""

from __future__ import annotations

import asyncio

import pytest

from app.contract import keys
from app.contract.errors import StaleEpoch
from app.contract.events import RunRecovered
from app.stores.leases import PAGE, REQUEUE_MS, RESERVED_MS, Due, Leases
from app.stores.log import Release
from tests.app.stores.stores import Stores, message


async def make_due(stores: Stores, run_id: str) -> Due:
    """Make the run due and return it."""
    await stores.redis.zadd(keys.DUE, {run_id: 1}, xx=True)
    due = await stores.find_due(run_id)
    assert due is not None
    return due


async def test_a_submitted_run_is_due_until_it_is_claimed(stores: Stores) -> None:
    run_id = await stores.submit()
    due = await make_due(stores, run_id)
    assert (due.workflow, due.version, due.epoch) == ("echo", "", 0)
    assert await stores.leases.claim(due) == 1
    assert not await stores.is_due(run_id)
    assert await stores.leases.claim(due) is None


async def test_a_claimed_run_that_is_not_taken_is_due_again_after_the_pause(stores: Stores) -> None:
    run_id = await stores.submit()
    await stores.leases.claim(await make_due(stores, run_id))
    seconds, micros = await stores.redis.time()
    again = await stores.redis.zscore(keys.DUE, run_id)
    assert seconds * 1000 + micros // 1000 < again <= seconds * 1000 + micros // 1000 + REQUEUE_MS
    assert await stores.leases.claim(await make_due(stores, run_id)) is not None


async def test_only_one_of_many_schedulers_claims_a_run(stores: Stores) -> None:
    run = await stores.start()
    await stores.expire_lease(run.run_id)
    due = await make_due(stores, run.run_id)
    claims = await asyncio.gather(*(Leases(stores.redis, 1000).claim(due) for _ in range(20)))
    assert [claim for claim in claims if claim is not None] == [1]
    recovered = [event for event in await stores.log.read(run.run_id) if isinstance(event, RunRecovered)]
    assert [event.data.holder for event in recovered] == ["tester"]
    assert recovered[0].epoch == run.epoch


async def test_live_lease_is_never_claimed(stores: Stores) -> None:
    run = await stores.start()
    due = await make_due(stores, run.run_id)  # the set of what is due is behind
    before = await stores.hot(run.run_id)
    assert await stores.leases.claim(due) is None
    assert await stores.hot(run.run_id) == before
    assert not await stores.is_due(run.run_id)
    assert await run.say("still here")


async def test_a_claim_based_on_an_outdated_lease_changes_nothing(stores: Stores) -> None:
    first = await stores.start()
    await stores.expire_lease(first.run_id)
    outdated = await make_due(stores, first.run_id)
    second = await stores.take(first.run_id)
    await stores.expire_lease(first.run_id)
    assert await stores.leases.claim(outdated) is None
    assert await second.say("still mine")


@pytest.mark.parametrize("release", ["ended", "parked"])
async def test_a_waiting_or_ended_run_is_neither_claimed_nor_taken(stores: Stores, release: Release) -> None:
    run = await stores.start()
    await run.append(message("bye"), release=release)
    await stores.redis.zadd(keys.DUE, {run.run_id: 1})
    assert await stores.leases.claim(await make_due(stores, run.run_id)) is None
    assert not await stores.is_due(run.run_id)
    minted = await stores.mint(run.run_id)
    assert await stores.leases.take(run.run_id, minted.epoch, "w", "echo", "1") is None
    assert not await stores.leases.reserve(run.run_id)


async def test_an_overdue_run_is_taken_and_a_held_one_is_not(stores: Stores) -> None:
    run = await stores.start()
    newer = (await stores.mint(run.run_id)).epoch
    assert await stores.leases.take(run.run_id, newer, "w", "echo", "1") is None
    assert await run.say("still here")
    await stores.expire_lease(run.run_id)
    assert await stores.leases.take(run.run_id, newer, "w", "echo", "1") is not None
    with pytest.raises(StaleEpoch):
        await run.say("late")


@pytest.mark.parametrize("epoch", [0, 1])
async def test_an_epoch_takes_a_run_only_once_and_not_after_a_later_one(stores: Stores, epoch: int) -> None:
    run = await stores.start()
    await run.append(message("bye"), release="queued")
    assert await stores.leases.take(run.run_id, epoch, "w", "echo", "1") is None


async def test_renewing_a_lease_moves_its_deadline(stores: Stores) -> None:
    run = await stores.start()
    await stores.expire_lease(run.run_id)
    assert not await stores.is_held(run.run_id)
    await stores.leases.renew(run.run_id, run.epoch)
    assert await stores.is_held(run.run_id)
    assert not await stores.is_due(run.run_id)


async def test_lost_lease_is_not_renewed(stores: Stores) -> None:
    run = await stores.start()
    await stores.expire_lease(run.run_id)
    await stores.leases.claim(await make_due(stores, run.run_id))
    with pytest.raises(StaleEpoch):
        await stores.leases.renew(run.run_id, run.epoch)
    newer = await stores.take(run.run_id)
    with pytest.raises(StaleEpoch):
        await stores.leases.renew(run.run_id, run.epoch)
    await stores.leases.renew(run.run_id, newer.epoch)


async def test_a_run_is_reserved_for_one_worker_at_a_time(stores: Stores) -> None:
    run_id = await stores.submit()
    assert sum(await asyncio.gather(*(stores.leases.reserve(run_id) for _ in range(20)))) == 1
    run = await stores.take(run_id)
    assert not await stores.leases.reserve(run_id)
    await run.append(message("bye"), release="queued")
    assert await stores.leases.reserve(run_id)


async def test_the_reservation_of_a_dead_worker_expires(stores: Stores) -> None:
    run_id = await stores.submit()
    assert await stores.leases.reserve(run_id)
    until = int((await stores.lease(run_id))["reserved"])
    await stores.redis.hset(keys.lease_key(run_id), "reserved", until - RESERVED_MS)
    assert await stores.leases.reserve(run_id)


async def test_runs_that_this_worker_does_not_serve_do_not_hide_runs_that_it_serves(stores: Stores) -> None:
    await stores.redis.zadd(keys.DUE, {f"run_{number}": number for number in range(1, 301)})
    run_id = await stores.submit()
    passed: set[str] = set()
    looks = 0
    while run_id not in (found := [due.run_id for due in await stores.leases.find_due(200, passed)]):
        looks += 1
        assert found and passed.isdisjoint(found)
        passed.update(found)
    assert looks == 1
    await stores.redis.zrem(keys.DUE, "run_7")
    await stores.leases.find_due(200, passed)
    assert "run_7" not in passed and len(passed) == 199


async def test_more_runs_can_be_due_than_are_read_at_once(stores: Stores) -> None:
    await stores.redis.zadd(keys.DUE, {f"run_{number:04}": number for number in range(1, PAGE + 51)})
    passed = {f"run_{number:04}" for number in range(1, PAGE + 41)}
    assert [due.run_id for due in await stores.leases.find_due(5, passed)] == [f"run_{PAGE + n}" for n in range(41, 46)]


async def test_idle_time_is_the_time_since_the_last_event(stores: Stores) -> None:
    run, silent = await stores.start(), (await stores.accept()).data.title
    assert await stores.leases.restore(silent, "echo", "")
    await stores.redis.hset(keys.lease_key(run.run_id), "last", "1-0")
    seconds, _ = await stores.redis.time()
    idle = await stores.leases.idle_times([run.run_id, silent])
    assert list(idle) == [run.run_id] and idle[run.run_id] >= seconds * 1000 - 1
    await stores.redis.hset(keys.lease_key(run.run_id), "last", run.floor)
    await run.say("back")
    assert (await stores.leases.idle_times([run.run_id]))[run.run_id] < seconds * 1000
    assert await stores.leases.idle_times([]) == {}


@pytest.mark.parametrize("held", [True, False])
async def test_a_run_missing_from_the_set_of_due_runs_is_restored(stores: Stores, held: bool) -> None:
    """A Redis with an eviction policy has dropped the set."""
    run_id = (await stores.start()).run_id if held else await stores.submit()
    parked = await stores.start()
    await parked.append(message("bye"), release="parked")
    await stores.redis.delete(keys.DUE)
    assert await stores.leases.find_scheduled([run_id, parked.run_id]) == set()
    assert await stores.leases.restore(run_id, "echo", "")
    assert not await stores.leases.restore(parked.run_id, "echo", "")
    assert await stores.leases.find_scheduled([run_id]) == {run_id}
    assert await stores.is_due(run_id) is not held
    if held:
        deadline = (await stores.lease(run_id))["deadline"]
        assert await stores.redis.zscore(keys.DUE, run_id) == int(deadline)


async def test_only_a_run_that_redis_does_not_know_is_restored(stores: Stores) -> None:
    run_id = (await stores.accept()).data.title
    assert [run for run in await stores.epochs.open_runs() if run[0] == run_id] == [(run_id, "echo", "")]
    assert await stores.leases.find_scheduled([run_id]) == set()
    assert await stores.leases.restore(run_id, "echo", "")
    assert await stores.leases.find_scheduled([run_id]) == {run_id}
    assert await stores.is_due(run_id)
    assert not await stores.leases.restore(run_id, "echo", "")
    run = await stores.take(run_id)
    assert not await stores.leases.restore(run_id, "echo", "")
    assert await run.say("mine")
