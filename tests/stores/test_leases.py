"""Who may go on with a run: claiming, taking, renewing, and what nobody may take."""

from __future__ import annotations

import asyncio

import pytest

from app.contract import keys
from app.contract.errors import StaleEpoch
from app.contract.events import RunRecovered
from app.stores.leases import REQUEUE_MS, RESERVED_MS, Due, Leases
from app.stores.log import Release
from tests.stores.stores import Stores, message


async def make_due(stores: Stores, run_id: str) -> Due:
    """The run, its time having come."""
    await stores.redis.zadd(keys.DUE, {run_id: 1}, xx=True)
    due = await stores.find_due(run_id)
    assert due is not None
    return due


async def test_submitted_run_is_due_until_somebody_claims_it(stores: Stores) -> None:
    run_id = await stores.submit()
    due = await make_due(stores, run_id)
    assert (due.workflow, due.version, due.epoch) == ("echo", "", 0)
    assert await stores.leases.claim(due) == 1
    assert not await stores.is_due(run_id)
    assert await stores.leases.claim(due) is None


async def test_claimed_run_that_nobody_takes_is_due_again_after_the_pause(stores: Stores) -> None:
    run_id = await stores.submit()
    await stores.leases.claim(await make_due(stores, run_id))
    seconds, micros = await stores.redis.time()
    again = await stores.redis.zscore(keys.DUE, run_id)
    assert seconds * 1000 + micros // 1000 < again <= seconds * 1000 + micros // 1000 + REQUEUE_MS
    assert await stores.leases.claim(await make_due(stores, run_id)) is not None


async def test_of_many_supervisors_one_claims(stores: Stores) -> None:
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


async def test_claim_with_an_outdated_look_at_the_lease_leaves_it_alone(stores: Stores) -> None:
    first = await stores.start()
    await stores.expire_lease(first.run_id)
    outdated = await make_due(stores, first.run_id)
    second = await stores.take(first.run_id)
    await stores.expire_lease(first.run_id)
    assert await stores.leases.claim(outdated) is None
    assert await second.say("still mine")


@pytest.mark.parametrize("release", ["ended", "parked"])
async def test_nobody_claims_or_takes_what_waits_or_ended(stores: Stores, release: Release) -> None:
    run = await stores.start()
    await run.append(message("bye"), release=release)
    await stores.redis.zadd(keys.DUE, {run.run_id: 1})
    assert await stores.leases.claim(await make_due(stores, run.run_id)) is None
    assert not await stores.is_due(run.run_id)
    minted = await stores.mint(run.run_id)
    assert await stores.leases.take(run.run_id, minted.epoch, "w", "echo", "1") is None
    assert not await stores.leases.reserve(run.run_id)


async def test_held_run_is_not_taken_and_an_overdue_one_is(stores: Stores) -> None:
    run = await stores.start()
    newer = (await stores.mint(run.run_id)).epoch
    assert await stores.leases.take(run.run_id, newer, "w", "echo", "1") is None
    assert await run.say("still here")
    await stores.expire_lease(run.run_id)
    assert await stores.leases.take(run.run_id, newer, "w", "echo", "1") is not None
    with pytest.raises(StaleEpoch):
        await run.say("late")


@pytest.mark.parametrize("epoch", [0, 1])
async def test_no_epoch_comes_twice_or_back(stores: Stores, epoch: int) -> None:
    run = await stores.start()
    await run.append(message("bye"), release="queued")
    assert await stores.leases.take(run.run_id, epoch, "w", "echo", "1") is None


async def test_renewing(stores: Stores) -> None:
    run = await stores.start()
    await stores.expire_lease(run.run_id)
    assert not await stores.leases.is_held(run.run_id)
    await stores.leases.renew(run.run_id, run.epoch)
    assert await stores.leases.is_held(run.run_id)
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


async def test_run_is_reserved_for_one_at_a_time(stores: Stores) -> None:
    run_id = await stores.submit()
    assert sum(await asyncio.gather(*(stores.leases.reserve(run_id) for _ in range(20)))) == 1
    run = await stores.take(run_id)
    assert not await stores.leases.reserve(run_id)
    await run.append(message("bye"), release="queued")
    assert await stores.leases.reserve(run_id)


async def test_reservation_of_a_worker_that_died_ends(stores: Stores) -> None:
    run_id = await stores.submit()
    assert await stores.leases.reserve(run_id)
    until = int((await stores.lease(run_id))["reserved"])
    await stores.redis.hset(keys.lease_key(run_id), "reserved", until - RESERVED_MS)
    assert await stores.leases.reserve(run_id)


async def test_only_what_redis_does_not_know_is_restored(stores: Stores) -> None:
    run_id = (await stores.accept()).data.title
    assert [run for run in await stores.epochs.open_runs() if run[0] == run_id] == [(run_id, "echo", "")]
    assert await stores.leases.known([run_id]) == set()
    assert await stores.leases.restore(run_id, "echo", "")
    assert await stores.leases.known([run_id]) == {run_id}
    assert await stores.is_due(run_id)
    assert not await stores.leases.restore(run_id, "echo", "")
    run = await stores.take(run_id)
    assert not await stores.leases.restore(run_id, "echo", "")
    assert await run.say("mine")
