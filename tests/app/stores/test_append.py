"""Appending facts: all or nothing, once, and only by the epoch that holds the run."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable

import pytest
from redis.exceptions import ResponseError

from app.contract import keys
from app.contract.codec import encode_event
from app.contract.cursors import START, is_after
from app.contract.errors import AppendRefused, CommandPending, RunEnded, StaleEpoch
from app.contract.events import CommandCancel, CommandRetry, RunSucceeded
from app.contract.payloads import Result, RetryData
from app.stores.log import Release
from app.stores.scripts import script_text
from tests.app.stores.stores import Stores, Taken, message
from tests.conftest import LEASE_MS


async def outcome(attempt: Awaitable[list[str]]) -> list[str] | type[AppendRefused]:
    try:
        return await attempt
    except AppendRefused as refused:
        return type(refused)


async def test_events_stand_in_the_log_in_order_under_rising_cursors(stores: Stores) -> None:
    run = await stores.start()
    cursors = [*await run.say("a", "b"), *await run.say("c")]
    assert await stores.texts(run.run_id) == ["a", "b", "c"]
    assert all(is_after(later, earlier) for earlier, later in itertools.pairwise(cursors))
    assert [event.id for event in await stores.log.read(run.run_id)][1:] == cursors


async def test_an_append_that_exceeds_the_memory_of_redis_leaves_nothing(stores: Stores) -> None:
    run = await stores.start()
    before, lease = await stores.hot(run.run_id), await stores.lease(run.run_id)
    await stores.redis.config_set("maxmemory", "1mb")
    try:
        with pytest.raises(ResponseError, match="maxmemory"):
            await run.say("a", "b")
    finally:
        await stores.redis.config_set("maxmemory", "0")
    assert await stores.hot(run.run_id) == before
    assert await stores.lease(run.run_id) == lease
    assert len(await run.say("a", "b")) == 2


async def test_repeated_number_returns_the_first_cursors_and_appends_nothing(stores: Stores) -> None:
    run = await stores.start()
    first = await run.append(message("a"), message("b"))
    assert await run.append(message("a"), message("b"), number=1) == first
    assert await stores.texts(run.run_id) == ["a", "b"]


@pytest.mark.parametrize("release", ["ended", "parked", "queued"])
async def test_repeated_release_returns_the_first_cursors(stores: Stores, release: Release) -> None:
    run = await stores.start()
    first = await run.append(message("bye"), release=release)
    assert await run.append(message("bye"), number=1, release=release) == first
    assert await stores.texts(run.run_id) == ["bye"]
    assert (await stores.lease(run.run_id))["state"] == release


async def test_repeat_after_a_claim_returns_the_first_cursors(stores: Stores) -> None:
    """The answer was lost, and the lease after it: the append still counts."""
    run = await stores.start()
    first = await run.say("a")
    await stores.expire_lease(run.run_id)
    due = await stores.find_due(run.run_id)
    assert due is not None and await stores.leases.claim(due) is not None
    assert await run.append(message("a"), number=1) == first
    with pytest.raises(StaleEpoch):
        await run.say("b")
    assert await stores.texts(run.run_id) == ["a"]


async def test_old_number_that_arrives_late_is_refused(stores: Stores) -> None:
    run = await stores.start()
    await run.say("a")
    await run.say("b")
    with pytest.raises(StaleEpoch):
        await run.append(message("a"), number=1)
    assert await stores.texts(run.run_id) == ["a", "b"]


async def test_number_that_leaves_a_gap_is_refused(stores: Stores) -> None:
    """Redis came back without its last moments, and lacks appends that the worker takes for written."""
    run = await stores.start()
    await run.say("a")
    with pytest.raises(StaleEpoch):
        await run.append(message("c"), number=3)
    assert await stores.texts(run.run_id) == ["a"]


@pytest.mark.parametrize("other", [-1, 1])
async def test_any_other_epoch_is_refused(stores: Stores, other: int) -> None:
    run = await stores.start()
    stranger = Taken(stores, run.run_id, run.epoch + other, run.floor, START)
    with pytest.raises(StaleEpoch):
        await stranger.say("x")
    assert await stores.texts(run.run_id) == []


async def test_old_epoch_is_refused_in_the_transaction_of_the_new_one(stores: Stores) -> None:
    """The old worker's append comes in one transaction with the new worker's take, in the same millisecond."""
    old = await stores.start()
    await old.say("a")
    await stores.expire_lease(old.run_id)
    minted = await stores.mint(old.run_id)
    log_keys = [keys.log_key(old.run_id), keys.lease_key(old.run_id), keys.DUE, keys.UNSHIPPED]
    taking = [keys.lease_key(old.run_id), keys.DUE, keys.log_key(old.run_id)]
    bell = keys.notification_channel(old.run_id)
    body = encode_event(message("late"))
    pipe = stores.redis.pipeline(transaction=True)
    pipe.eval(
        script_text("take"), 3, *taking,
        old.run_id, minted.epoch, "b", LEASE_MS, "echo", "1", "queued", minted.shipped, "",
    )  # fmt: skip
    for epoch, number in ((old.epoch, 2), (minted.epoch, 1), (old.epoch, 2), (old.epoch, 1)):
        pipe.eval(
            script_text("append"), 4, *log_keys,
            old.run_id, "facts", epoch, number, "", LEASE_MS, "", START, "", bell, "", "", body,
        )  # fmt: skip
    replies = await pipe.execute()
    assert [reply[0] for reply in replies] == ["ok", "refused", "ok", "refused", "refused"]
    assert [reply[1] for reply in replies if reply[0] == "refused"] == ["stale"] * 3
    assert await stores.texts(old.run_id) == ["a", "late"]


async def test_of_fifty_takers_and_writers_one_epoch_wins(stores: Stores) -> None:
    run_id = await stores.submit()
    takers = [Taken(stores, run_id, epoch, "", START) for epoch in range(1, 51)]

    async def take_and_write(taker: Taken) -> list[str] | type[AppendRefused]:
        await stores.leases.take(run_id, taker.epoch, f"w{taker.epoch}", "echo", "1")
        return await outcome(taker.say(str(taker.epoch)))

    outcomes = await asyncio.gather(*(take_and_write(taker) for taker in takers))
    assert [outcome for outcome in outcomes if outcome is not StaleEpoch] == [(await stores.hot(run_id))[1:]]
    assert await stores.texts(run_id) == [(await stores.lease(run_id))["epoch"]]


async def test_fifty_writers_of_two_epochs_leave_one_history(stores: Stores) -> None:
    """Old and new holder append while the run changes hands: the log has old facts, then new ones, each number once."""
    old = await stores.start()
    await stores.expire_lease(old.run_id)
    minted = await stores.mint(old.run_id)
    new = Taken(stores, old.run_id, minted.epoch, minted.shipped, START)

    async def write(run: Taken, number: int) -> None:
        while (await outcome(run.append(message(f"{run.epoch}.{number}"), number=number))) is StaleEpoch:
            lease = await stores.lease(run.run_id)
            if int(lease["epoch"]) > run.epoch or (int(lease["seq"]) > number and int(lease["epoch"]) == run.epoch):
                return

    async def change_hands() -> None:
        while int((await stores.lease(old.run_id))["seq"]) < 3:
            await asyncio.sleep(0)
        await stores.expire_lease(old.run_id)
        while await stores.leases.take(old.run_id, new.epoch, "b", "echo", "1") is None:
            await stores.expire_lease(old.run_id)

    writers = [write(run, number) for run in (old, new) for number in range(1, 26)]
    await asyncio.gather(change_hands(), *writers)
    written = [tuple(map(int, text.split("."))) for text in await stores.texts(old.run_id)]
    assert written == sorted(set(written))
    assert [number for epoch, number in written if epoch == new.epoch] == list(range(1, 26))


async def test_facts_after_the_end_are_refused(stores: Stores) -> None:
    run = await stores.start()
    await run.append(RunSucceeded(data=Result()), release="ended")
    with pytest.raises(RunEnded):
        await run.say("after")
    assert await stores.texts(run.run_id) == []


@pytest.mark.parametrize("release", ["parked", "queued"])
async def test_facts_after_a_release_are_refused(stores: Stores, release: Release) -> None:
    run = await stores.start()
    await run.append(message("bye"), release=release)
    with pytest.raises(StaleEpoch):
        await run.say("after")
    assert await stores.texts(run.run_id) == ["bye"]


async def test_facts_after_the_end_and_a_retry_need_a_new_epoch(stores: Stores) -> None:
    run = await stores.start()
    await run.append(RunSucceeded(data=Result()), release="ended")
    await stores.command(run.run_id, CommandRetry(data=RetryData()), "c")
    with pytest.raises(StaleEpoch):
        await run.say("after")
    assert await (await stores.take(run.run_id)).say("new")


async def test_facts_after_revocation_are_refused(stores: Stores) -> None:
    run = await stores.start()
    await stores.expire_lease(run.run_id)
    due = await stores.find_due(run.run_id)
    assert due is not None
    await stores.leases.claim(due)
    with pytest.raises(StaleEpoch):
        await run.say("late")
    assert [event.type for event in await stores.log.read(run.run_id)] == ["run.submitted", "run.recovered"]


@pytest.mark.parametrize("release", ["ended", "parked", "queued"])
async def test_release_waits_for_a_newer_command(stores: Stores, release: Release) -> None:
    run = await stores.start()
    cancel = await stores.command(run.run_id, CommandCancel(), "c")
    before = await stores.hot(run.run_id)
    with pytest.raises(CommandPending) as refused:
        await run.append(message("bye"), release=release, handled=run.newest_command)
    assert refused.value.newest == cancel
    assert await stores.hot(run.run_id) == before
    assert (await stores.lease(run.run_id))["state"] == "held"
    assert await run.append(message("bye"), release=release, handled=cancel)


async def test_release_drops_the_lease_and_sets_when_the_run_is_due(stores: Stores) -> None:
    for release, due in (("ended", False), ("parked", False), ("queued", True)):
        run = await stores.start()
        await run.append(message("bye"), release=release)  # type: ignore[arg-type]
        assert "holder" not in await stores.lease(run.run_id)
        assert await stores.is_due(run.run_id) is due
        assert await stores.is_held(run.run_id) is False


async def test_append_renews_the_lease_and_publishes_the_cursor(stores: Stores) -> None:
    run = await stores.start()
    await stores.expire_lease(run.run_id)
    async with stores.redis.pubsub() as bells:
        await bells.subscribe(keys.notification_channel(run.run_id))
        await bells.get_message(timeout=5)
        cursors = await run.say("a", "b")
        rung = await bells.get_message(timeout=5)
    assert rung is not None and rung["data"] == cursors[-1]
    assert await stores.is_held(run.run_id)
    assert not await stores.is_due(run.run_id)


async def test_the_lease_of_a_sealed_run_stores_one_cursor_and_still_answers_a_repeat(stores: Stores) -> None:
    run = await stores.start()
    said = [message(str(number), run.epoch) for number in range(3)]
    first = await run.append(*said, RunSucceeded(data=Result()), release="ended")
    assert await run.append(*said, RunSucceeded(data=Result()), release="ended", number=run.number) == first
    await stores.ship()
    assert json.loads((await stores.lease(run.run_id))["reply"]) == ["ok", first[-1]]
    repeated = await run.append(*said, RunSucceeded(data=Result()), release="ended", number=run.number)
    assert repeated == first[-1:]
    assert len(await stores.hot(run.run_id)) == 5
