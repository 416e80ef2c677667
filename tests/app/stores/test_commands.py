"""Commands: taken once, never missed, and on an ended run only a retry."""

from __future__ import annotations

import asyncio

import pytest

from app.contract.errors import RunEnded
from app.contract.events import Command, CommandAnswer, CommandCancel, CommandRetry, RunSucceeded, RunWaiting
from app.contract.payloads import AnswerData, Ask, Result, RetryData, WaitingData
from app.stores.log import ArchivedState, Release
from tests.app.stores.stores import Stores, message

ANSWER = CommandAnswer(data=AnswerData(ask="a1", name="outline", value=1))
RETRY = CommandRetry(data=RetryData(steps=["w"]))


async def test_same_client_id_is_one_command(stores: Stores) -> None:
    run_id = await stores.submit()
    first, *others = await asyncio.gather(*(stores.command(run_id, CommandCancel(), "c1") for _ in range(10)))
    assert set(others) == {first}
    assert await stores.command(run_id, CommandCancel(), "c2") != first
    assert [event.type for event in await stores.log.read(run_id)] == ["run.submitted"] + ["command.cancel"] * 2


async def test_repeat_of_a_command_after_the_end_returns_its_cursor(stores: Stores) -> None:
    run = await stores.start()
    cursor = await stores.command(run.run_id, CommandCancel(), "c1")
    await run.append(RunSucceeded(data=Result()), release="ended", handled=cursor)
    assert await stores.command(run.run_id, CommandCancel(), "c1") == cursor


@pytest.mark.parametrize("client_id", ["c1", 'cancel:"%_\\'])
async def test_a_command_is_found_by_its_client_id_after_a_loss_of_redis(stores: Stores, client_id: str) -> None:
    run = await stores.start()
    value = {"client": client_id, "text": f'"client":"{client_id}"'}
    await stores.command(run.run_id, CommandAnswer(data=AnswerData(ask="a1", name="outline", value=value)), "other")
    assert await stores.log.find_command(run.run_id, client_id) is None
    cursor = await stores.command(run.run_id, CommandCancel(), client_id)
    assert await stores.log.find_command(run.run_id, client_id) == cursor
    await stores.ship()
    await stores.redis.flushall()
    assert await stores.log.find_command(run.run_id, client_id) == cursor
    assert await stores.log.find_command(run.run_id, client_id + "2") is None
    assert await stores.log.find_command("run_other", client_id) is None
    assert isinstance((await stores.log.read(run.run_id))[-1], CommandCancel)


@pytest.mark.parametrize("command", [CommandCancel(), ANSWER])
async def test_ended_run_refuses_all_but_a_retry(stores: Stores, command: Command) -> None:
    run = await stores.start()
    await run.append(RunSucceeded(data=Result()), release="ended")
    before = await stores.hot(run.run_id)
    with pytest.raises(RunEnded):
        await stores.command(run.run_id, command, "c1")
    assert await stores.hot(run.run_id) == before and not await stores.is_due(run.run_id)
    await stores.command(run.run_id, RETRY, "c2")
    assert await stores.is_due(run.run_id)
    await stores.command(run.run_id, command, "c3")


@pytest.mark.parametrize("release", ["parked", "queued"])
async def test_command_on_a_run_that_nobody_holds_makes_it_due(stores: Stores, release: Release) -> None:
    run = await stores.start()
    await run.append(message("bye"), release=release)
    cursor = await stores.command(run.run_id, ANSWER, "c1")
    assert await stores.is_due(run.run_id)
    assert (await stores.take(run.run_id)).newest_command == cursor


async def test_command_on_a_held_run_does_not_make_it_due(stores: Stores) -> None:
    run = await stores.start()
    cursor = await stores.command(run.run_id, CommandCancel(), "c1")
    assert not await stores.is_due(run.run_id)
    assert await stores.is_held(run.run_id)
    assert await stores.leases.renew(run.run_id, run.epoch) == cursor
    assert await run.say("still here")


@pytest.mark.parametrize("ending", ["ended", "parked", "queued"])
async def test_a_command_during_a_release_is_not_missed(stores: Stores, ending: Release) -> None:
    """Either the release is refused because of the command, or the command finds no holder and makes the run due."""
    for _ in range(20):
        run = await stores.start()
        release = run.append(message("bye"), release=ending)
        letting_go, cursor = await asyncio.gather(
            release, stores.command(run.run_id, RETRY, "c1"), return_exceptions=True
        )
        assert isinstance(cursor, str)
        refused = isinstance(letting_go, BaseException)
        assert await stores.is_due(run.run_id) is not refused
        assert await stores.is_held(run.run_id) is refused


@pytest.mark.parametrize(("shipped", "taken"), [("waiting", True), ("ended", False)])
async def test_the_state_in_sql_decides_where_redis_lost_the_run(stores: Stores, shipped: str, taken: bool) -> None:
    run = await stores.start()
    if shipped == "waiting":
        await run.append(RunWaiting(data=WaitingData(asks=[Ask(ask="a1", name="o", step="w")])), release="parked")
    else:
        await run.append(RunSucceeded(data=Result()), release="ended")
    await stores.ship()
    await stores.redis.flushall()
    if taken:
        await stores.command(run.run_id, ANSWER, "c1")
    else:
        with pytest.raises(RunEnded):
            await stores.command(run.run_id, ANSWER, "c1")
        await stores.command(run.run_id, RETRY, "c2")
    due = await stores.find_due(run.run_id)
    assert due is not None and due.workflow == "echo"
    assert (await stores.log.fold(run.run_id)).cursor == (await stores.hot(run.run_id))[-1]


async def test_the_digest_of_a_request_is_found_after_a_loss_of_redis(stores: Stores) -> None:
    run = await stores.start()
    row = await stores.row(run.run_id)
    known = ArchivedState("held", row.shipped, row.workflow, row.version)
    first = await stores.log.command(run.run_id, RETRY, "c1", known, "digest 1")
    assert await stores.log.command(run.run_id, RETRY, "c1", known, "digest 2") == first
    earlier = await stores.log.command(run.run_id, RETRY, "c2", known)
    await stores.ship()
    for _ in range(2):
        assert await stores.log.digest_of(run.run_id, first, "c1") == "digest 1"
        assert await stores.log.digest_of(run.run_id, earlier, "c2") == ""
        await stores.redis.flushall()
