from __future__ import annotations

import httpx2
from redis.asyncio import Redis

from app.runs.queries import catch_up
from app.stores.log import Log
from app.stores.stores import Stores
from tests.app.conftest import Take, start_echo
from worker.engine.archiver import Archiver


async def test_catching_up_reads_what_came_since(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    player = await take(await start_echo(ann))
    await player.start()
    run = await log.fold(player.run_id)
    await player.begin("echo/a")
    assert await catch_up(log, run) == await log.fold(player.run_id)
    assert list(run.steps) == ["echo/a"]


async def test_a_log_that_was_lost_is_folded_again(
    ann: httpx2.AsyncClient, take: Take, log: Log, stores: Stores, redis: Redis
) -> None:
    player = await take(await start_echo(ann))
    await player.start()
    await Archiver(stores).archive_batch()
    archived = await log.fold(player.run_id)
    await player.begin("echo/lost")
    run = await log.fold(player.run_id)
    await redis.flushall()
    assert await catch_up(log, run) == archived
