"""Damage in Redis: an unreadable entry is shown as such, and stops neither its own run nor any other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from app.contract import keys
from app.contract.events import StepMessage, Unreadable
from app.contract.settings import Settings
from app.main import connect as connect_web
from app.stores.connection import connect as connect_worker
from tests.app.stores.stores import Stores
from tests.conftest import KEEP_MS, LEASE_MS
from worker.engine.archiver import Archiver

NO_UTF8 = b'{"type":"step.message","step":"w","attempt":1,"epoch":1,"data":{"text":"\xff\xfe"}}'
TOO_LATE = f"{2**63}-0"
"""An id that Redis accepts, and that is too large for SQL."""


@pytest.fixture(params=["web", "worker"])
async def plane(request: pytest.FixtureRequest, stores: Stores, settings: Settings) -> AsyncIterator[Stores]:
    """The stores through the client that this plane uses."""
    redis = connect_web(settings)["stores"].redis if request.param == "web" else connect_worker(settings.redis_url)
    yield Stores.over(redis, stores.database, lease_ms=LEASE_MS, keep_ms=KEEP_MS)
    await redis.aclose()


async def test_an_entry_that_is_no_utf8_is_unreadable_and_does_not_stop_the_run(plane: Stores) -> None:
    run = await plane.start()
    await run.say("before")
    await plane.redis.xadd(keys.log_key(run.run_id), {"e": NO_UTF8})
    await run.say("after")

    events = await plane.log.read(run.run_id)
    assert [type(event) for event in events[1:]] == [StepMessage, Unreadable, StepMessage]
    assert isinstance(events[2], Unreadable) and events[2].data["raw"] == NO_UTF8.decode("utf-8", "backslashreplace")
    assert len((await plane.log.fold(run.run_id)).unreadable) == 1
    await plane.ship()
    await plane.redis.delete(keys.log_key(run.run_id))
    assert await plane.log.read(run.run_id) == events


async def is_shipped(stores: Stores, run_id: str) -> None:
    while not await stores.log.ends_at(run_id, await stores.archive.shipped(run_id)):
        await asyncio.sleep(0.01)


async def test_a_run_that_cannot_be_shipped_delays_no_other_run_and_stops_no_shipper(stores: Stores) -> None:
    late, lost, good = [await stores.start() for _ in range(3)]
    await stores.redis.xadd(keys.log_key(late.run_id), {"e": "{}"}, id=TOO_LATE)
    await stores.redis.set(keys.log_key(lost.run_id), "no log at all")
    await stores.redis.zadd(keys.UNSHIPPED, {late.run_id: 0, lost.run_id: 0})
    await good.say("a")
    shipping = asyncio.create_task(stores.archiver().run_forever())
    await is_shipped(stores, good.run_id)

    # One alone, which leaves nobody to ship instead.
    await stores.redis.zadd(keys.UNSHIPPED, {late.run_id: 0})
    while await stores.redis.zscore(keys.UNSHIPPED, late.run_id) == 0:
        await asyncio.sleep(0.01)
    await good.say("b")
    await is_shipped(stores, good.run_id)
    assert not shipping.done()
    shipping.cancel()
    assert await stores.texts(good.run_id) == ["a", "b"]


async def test_what_nobody_foresaw_is_told_with_its_traceback_once(stores: Stores) -> None:
    broken = Archiver(replace(stores, unshipped=None))  # type: ignore[arg-type]  # a bug in the wiring
    with capture_logs() as told:
        shipping = asyncio.create_task(broken.run_forever())
        while len([entry for entry in told if entry["event"] == "archiving failed"]) < 2:
            await asyncio.sleep(0.01)
        shipping.cancel()
    first, second, *_ = told
    assert isinstance(first["exc_info"], AttributeError) and "exc_info" not in second


async def test_a_damaged_lease_hides_no_other_run_that_is_due(stores: Stores) -> None:
    damaged, good = [await stores.submit() for _ in range(2)]
    await stores.redis.hset(keys.lease_key(damaged), "epoch", "not a number")
    other = await stores.submit()
    await stores.redis.delete(keys.lease_key(other))
    await stores.redis.set(keys.lease_key(other), "no lease at all")
    assert [due.run_id for due in await stores.leases.find_due(10)] == [good]
