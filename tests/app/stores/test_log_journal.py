"""The worker's journal, holder and executor on the real stores: runs from their start to their end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import BaseModel
from redis.asyncio import Redis

from app.contract import keys
from app.contract.codec import encode_event
from app.contract.events import CommandAnswer, CommandCancel, CommandRetry, StepMessage, StepSucceeded
from app.contract.payloads import AnswerData, Message, RetryData
from app.contract.run import Run
from app.contract.status import RunStatus
from app.stores.database import Database
from tests.app.stores.stores import Stores
from tests.conftest import KEEP_MS, LEASE_MS
from tests.support.redis_server import RedisServer
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.runtime import Workflows, ask, component, gather, resource, say, stream, workflow

STEPS = 12


class Plan(BaseModel):
    """The input of the workflow. `broken`: these steps fail."""

    broken: list[str] = []
    asks: bool = False
    blocks: bool = False


@dataclass
class Watch:
    """The effects of the steps, seen from outside of the log."""

    calls: Counter[str] = field(default_factory=Counter)
    repaired: bool = False
    reached: dict[str, asyncio.Event] = field(default_factory=dict)

    def at(self, name: str) -> asyncio.Event:
        return self.reached.setdefault(name, asyncio.Event())


@component
async def count(name: str, broken: bool, blocks: bool) -> str:
    watch = resource(Watch)
    watch.calls[name] += 1
    for number in range(3):
        say(f"{name}.{number}")
    watch.at(name).set()
    if broken and not watch.repaired:
        raise ValueError(f"{name} is broken")
    if blocks:
        stream("so far")
        await asyncio.Event().wait()
    return name


@workflow("echo")
async def echo(plan: Plan) -> list[str]:
    """Count, in sequence and in parallel."""
    named = [f"n{number}" for number in range(STEPS)]
    done = [await count.key(name)(name, name in plan.broken, False) for name in named[: STEPS // 2]]
    if plan.asks:
        done.append(await ask("word", "bell", str))
    rest = named[STEPS // 2 :]
    done += await gather(*(count.key(name)(name, name in plan.broken, plan.blocks) for name in rest))
    return done


@dataclass
class World:
    stores: Stores
    watch: Watch

    async def hold(self, run_id: str) -> Run:
        """Take the run and execute it until it is released."""
        stores = self.stores
        holder = RunHolder(
            WorkerIdentity("tester", "test"),
            Workflows([echo]),
            stores,
            lambda *_: {Watch: self.watch},
        )
        await holder.hold(run_id)
        return await stores.log.fold(run_id)

    async def assert_logged_once(self, run_id: str, passes: int = 1) -> None:
        """Check that the log has each message as often as its step was called, in order, and SQL the same log."""
        events = await self.stores.log.read(run_id)
        said = Counter(event.data.text for event in events if isinstance(event, StepMessage))
        assert said == {f"{name}.{n}": calls for name, calls in self.watch.calls.items() for n in range(3)}
        succeeded = Counter(event.step for event in events if isinstance(event, StepSucceeded))
        assert {count for path, count in succeeded.items() if ":" in path} == {1}
        assert len({event.id for event in events}) == len(events)
        await self.stores.ship()
        archived = [cursor for cursor, _ in await self.stores.archived(run_id)]
        assert archived == [event.id for event in events]


@pytest.fixture
def world(stores: Stores) -> World:
    return World(stores, Watch())


@pytest.fixture
async def durable_world(stores: Stores, durable_client: Redis, database: Database) -> AsyncIterator[World]:
    """On a Redis of its own that may be killed."""
    yield World(Stores.over(durable_client, database, lease_ms=LEASE_MS, keep_ms=KEEP_MS), Watch())


async def test_run_succeeds(world: World) -> None:
    run_id = await world.stores.submit({})
    run = await world.hold(run_id)
    assert run.status is RunStatus.SUCCEEDED
    assert run.output == [f"n{number}" for number in range(STEPS)]
    assert set(world.watch.calls.values()) == {1}
    await world.assert_logged_once(run_id)
    assert (await world.stores.row(run_id)).status == RunStatus.SUCCEEDED


async def test_failed_run_is_retried_and_succeeded_steps_are_not_called_again(world: World) -> None:
    run_id = await world.stores.submit({"broken": ["n3"]})
    run = await world.hold(run_id)
    assert run.status is RunStatus.FAILED and [step.path for step in run.failed_steps] == ["echo/count:n3"]
    await world.stores.ship()
    await world.stores.redis.delete(keys.log_key(run_id))  # its time is over: what follows works from SQL
    world.watch.repaired = True
    await world.stores.command(run_id, CommandRetry(data=RetryData(steps=["echo/count:n3"])), "c")
    run = await world.hold(run_id)
    assert run.status is RunStatus.SUCCEEDED and not run.pending
    assert {name: calls for name, calls in world.watch.calls.items() if calls > 1} == {"n3": 2}
    await world.stores.ship()
    assert (await world.stores.row(run_id)).status == RunStatus.SUCCEEDED


async def test_cancel_reaches_the_running_steps(world: World) -> None:
    run_id = await world.stores.submit({"blocks": True})
    holding = asyncio.create_task(world.hold(run_id))
    await world.watch.at(f"n{STEPS - 1}").wait()
    cursor = await world.stores.command(run_id, CommandCancel(), "c")
    run = await holding
    assert run.status is RunStatus.CANCELLED and run.handled == cursor and not run.pending
    assert (await world.stores.lease(run_id))["state"] == "ended"
    text = run.steps[f"echo/count:n{STEPS - 1}"]
    assert text.status == "skipped"


async def test_run_waits_for_an_answer_through_a_loss_of_redis(world: World) -> None:
    run_id = await world.stores.submit({"asks": True})
    run = await world.hold(run_id)
    assert run.status is RunStatus.WAITING and not await world.stores.is_due(run_id)
    # Nobody holds it, and nobody looks at it until the answer comes: it may take days.
    assert {"holder", "deadline"}.isdisjoint(await world.stores.lease(run_id))
    assert await world.stores.redis.zscore(keys.DUE, run_id) is None
    await world.stores.ship()
    await world.stores.redis.flushall()
    answer = CommandAnswer(data=AnswerData(ask=run.asks[0].ask, name="word", value="whistle"))
    await world.stores.command(run_id, answer, "c")
    assert await world.stores.is_due(run_id)
    run = await world.hold(run_id)
    assert run.status is RunStatus.SUCCEEDED and "whistle" in run.output
    assert set(world.watch.calls.values()) == {1}
    await world.assert_logged_once(run_id)


async def test_unreadable_entries_do_not_stop_a_resume(world: World) -> None:
    """One entry is damaged, one of a newer version, one a newer kind of command."""
    run_id = await world.stores.submit({"asks": True})
    run = await world.hold(run_id)
    for body in (
        "\x00 damaged",
        '{"type":"step.dreamt","step":"echo","data":{}}',
        '{"type":"command.pause","data":{}}',
    ):
        await world.stores.redis.xadd(keys.log_key(run_id), {"e": body})
    answer = CommandAnswer(data=AnswerData(ask=run.asks[0].ask, name="word", value="whistle"))
    await world.stores.command(run_id, answer, "c")
    run = await world.hold(run_id)
    assert run.status is RunStatus.SUCCEEDED and len(run.unreadable) == 3
    assert set(world.watch.calls.values()) == {1}
    await world.assert_logged_once(run_id)


async def test_resuming_reads_a_log_of_any_length_once(world: World) -> None:
    reads = []
    for words in (0, 200):
        run_id = await world.stores.submit({"asks": True})
        run = await world.hold(run_id)
        for number in range(words):
            event = StepMessage(step="echo/count:n0", attempt=1, data=Message(text=f"more {number}"))
            await world.stores.redis.xadd(keys.log_key(run_id), {"e": encode_event(event)})
        answer = CommandAnswer(data=AnswerData(ask=run.asks[0].ask, name="word", value="whistle"))
        await world.stores.command(run_id, answer, "c")
        before = await commands_of(world, "xrange")
        assert (await world.hold(run_id)).status is RunStatus.SUCCEEDED
        reads.append(await commands_of(world, "xrange") - before)
    assert reads[0] == reads[1]


async def commands_of(world: World, name: str) -> int:
    """Return how often Redis was sent this command."""
    found = await world.stores.redis.info("commandstats")
    return int(found.get(f"cmdstat_{name}", {"calls": 0})["calls"])


async def test_journal_continues_through_restarts_of_redis(durable_world: World, durable_redis: RedisServer) -> None:
    """Redis is killed in the middle of appends: each event is written once in the end."""
    run_id = await durable_world.stores.submit({})
    holding = asyncio.create_task(durable_world.hold(run_id))
    for number in (1, 3, 5, STEPS - 1):
        await durable_world.watch.at(f"n{number}").wait()
        await asyncio.to_thread(durable_redis.kill)
        await asyncio.to_thread(durable_redis.start)
    run = await holding
    assert run.status is RunStatus.SUCCEEDED and run.passes == 1 and run.epoch == 1
    assert set(durable_world.watch.calls.values()) == {1}
    await durable_world.assert_logged_once(run_id)


async def test_run_that_lost_all_of_redis_resumes_from_the_shipped_events(world: World) -> None:
    run_id = await world.stores.submit({"broken": ["n7"], "blocks": True})
    world.watch.repaired = True
    holding = asyncio.create_task(world.hold(run_id))
    await world.watch.at("n8").wait()
    await world.stores.ship()
    await world.stores.redis.flushall()
    await holding  # the lease is lost: it stops by itself
    stopped = await world.stores.log.fold(run_id)
    assert not stopped.ended
    for open_id, workflow_name, version in await world.stores.epochs.open_runs():
        await world.stores.leases.restore(open_id, workflow_name, version)
    holding = asyncio.create_task(world.hold(run_id))
    world.watch.reached.clear()
    await world.watch.at(f"n{STEPS - 1}").wait()
    await world.stores.command(run_id, CommandCancel(), "c")
    run = await holding
    assert run.status is RunStatus.CANCELLED and run.epoch == 2
    assert {name: world.watch.calls[name] for name in ("n0", "n5")} == {"n0": 1, "n5": 1}
