"""A Redis that syncs every second: a kill loses nothing, a loss of power loses its last moments."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.contract import keys
from app.contract.cursors import START, is_after
from app.contract.errors import CursorGone, StaleEpoch
from tests.app.stores.redis_servers import EverysecRedis, running_everysec
from tests.app.stores.stores import (
    Stores,
    Taken,
    message,
)
from tests.conftest import KEEP_MS, LEASE_MS
from worker.engine.log_journal import LogJournal

TEXTS = "abcde"
SHIPPED = 2
"""How many of the events are in SQL when the power fails."""


@pytest.fixture
def server(redis_program: Path, tmp_path: Path) -> Iterator[EverysecRedis]:
    folder = tmp_path / "everysec"
    folder.mkdir()
    with running_everysec(redis_program, folder) as server:
        yield server


@pytest.fixture
async def kept(stores: Stores, server: EverysecRedis) -> AsyncIterator[Stores]:
    """The stores on such a server."""
    redis: Any = Redis
    async with redis.from_url(server.url, decode_responses=True) as client:
        yield Stores.over(client, stores.database, lease_ms=LEASE_MS, keep_ms=KEEP_MS)


async def test_a_kill_loses_nothing_that_was_acknowledged(kept: Stores, server: EverysecRedis) -> None:
    run = await kept.start()
    for text in TEXTS:
        await run.say(text)
    entries, lease = await kept.log.entries(run.run_id), await kept.lease(run.run_id)
    server.settle()
    server.kill()
    await start_again(kept, server)
    assert await kept.log.entries(run.run_id) == entries
    assert await kept.lease(run.run_id) == lease
    assert await kept.redis.zrange(keys.UNSHIPPED, 0, -1) == [run.run_id]
    await run.say("f")
    assert await kept.texts(run.run_id) == [*TEXTS, "f"]


async def start_again(stores: Stores, server: EverysecRedis) -> None:
    server.start()
    await stores.redis.connection_pool.disconnect()


async def recover(stores: Stores, run_id: str) -> Taken:
    """Take the run as schedulers and workers do: if it is due in Redis, or open in SQL."""
    for open_id, workflow, version in await stores.epochs.open_runs():
        if open_id == run_id:
            await stores.leases.restore(open_id, workflow, version)
    if "deadline" in await stores.lease(run_id):
        await stores.expire_lease(run_id)
    due = await stores.find_due(run_id)
    assert due is not None
    position = await stores.archive.position(run_id)
    await stores.leases.claim(due, state=position.state, shipped=position.shipped)
    assert await stores.leases.reserve(run_id)
    minted = await stores.mint(run_id)
    newest = await stores.leases.take(
        run_id, minted.epoch, "b", "echo", "1", state=minted.state, shipped=minted.shipped
    )
    assert newest is not None
    return Taken(stores, run_id, minted.epoch, minted.shipped, newest or START)


@pytest.mark.parametrize("left", range(len(TEXTS) + 1))
async def test_after_a_power_loss_the_run_resumes_from_the_last_shipped_event(
    kept: Stores, server: EverysecRedis, left: int
) -> None:
    """So many appends after the run was taken are left whole, and a few bytes of the next one."""
    run = await kept.start()
    lengths = [server.settle()]
    for number, text in enumerate(TEXTS, 1):
        await run.say(text)
        lengths.append(server.settle())
        if number == SHIPPED:
            await kept.ship()
            lengths[-1] = server.settle()
    before = await kept.log.entries(run.run_id)
    server.kill()
    server.cut(lengths[left] + (9 if left < len(TEXTS) else 0))
    await start_again(kept, server)

    await say_late(run, lost=left < len(TEXTS))
    survived = max(left, SHIPPED)
    new = await recover(kept, run.run_id)
    with pytest.raises(StaleEpoch):
        await run.say("late")
    await new.say("again")

    late = ["late"] if left == len(TEXTS) else []
    assert await kept.texts(run.run_id) == [*TEXTS[:survived], *late, "again"]
    after = await kept.log.entries(run.run_id)
    assert after[: survived + 1] == before[: survived + 1]
    assert all(is_after(later, earlier) for (earlier, _), (later, _) in itertools.pairwise(after))
    for place, (cursor, _) in enumerate(before):
        if place <= survived:
            await kept.log.check_cursor(run.run_id, cursor)
        else:
            with pytest.raises(CursorGone):
                await kept.log.check_cursor(run.run_id, cursor)
    await kept.ship()
    assert await kept.archived(run.run_id) == await kept.log.entries(run.run_id)


async def say_late(run: Taken, *, lost: bool) -> None:
    """The worker lives and appends more, but Redis lacks appends that it takes for written."""
    if not lost:
        await run.say("late")
        return
    with pytest.raises(StaleEpoch):
        await run.say("late")


async def test_events_that_redis_lost_and_sql_has_are_not_written_twice(kept: Stores, server: EverysecRedis) -> None:
    """The answer to an append was on its way when the power failed, and the append had been shipped."""
    run = await kept.start()
    whole = server.settle()
    said = message("once", run.epoch)
    await kept.log.append(run.run_id, run.epoch, 1, [said], lease_ms=LEASE_MS)
    await kept.ship()
    server.settle()
    server.kill()
    server.cut(whole)

    async with LogJournal(
        kept.log, run.run_id, run.epoch, lease_ms=LEASE_MS, floor=run.floor, newest_command=run.newest_command
    ) as journal:
        with capture_logs() as logs:
            journal.emit(said)
            while not logs:
                await asyncio.sleep(0)
        await start_again(kept, server)
        with pytest.raises(StaleEpoch):
            await journal.commit()

    await (await recover(kept, run.run_id)).say("again")
    assert await kept.texts(run.run_id) == ["once", "again"]
