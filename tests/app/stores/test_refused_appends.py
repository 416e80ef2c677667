"""Appends that Redis refuses: a temporary error is waited for, any other fails that run alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis import exceptions
from redis.exceptions import RedisError, ResponseError

from app.contract import keys
from tests.app.stores.stores import Stores, Taken, message
from tests.conftest import LEASE_MS
from worker.engine.log_journal import LARGEST_APPEND, LogJournal
from worker.engine.redis_errors import is_transient


@asynccontextmanager
async def journal_of(stores: Stores, run: Taken) -> AsyncIterator[LogJournal]:
    async with LogJournal(
        stores.log, run.run_id, run.epoch, lease_ms=LEASE_MS, floor=run.floor, newest_command=run.newest_command
    ) as journal:
        yield journal


@pytest.mark.parametrize(
    "error",
    [
        exceptions.ConnectionError("Connection closed by server."),
        exceptions.TimeoutError(),
        exceptions.BusyLoadingError("Redis is loading the dataset in memory"),
        exceptions.OutOfMemoryError("command not allowed when used memory > 'maxmemory'."),
        exceptions.ReadOnlyError("You can't write against a read only replica."),
        exceptions.MasterDownError("Link with MASTER is down"),  # type: ignore[no-untyped-call]  # by redis-py
        exceptions.TryAgainError("Multiple keys request during rehashing of slot"),  # type: ignore[no-untyped-call]  # by redis-py
        ResponseError("BUSY Redis is busy running a script."),
        ResponseError("NOREPLICAS Not enough good replicas to write."),
        ResponseError("MISCONF Redis is configured to save RDB snapshots"),
        TimeoutError(),
        ConnectionResetError(),
    ],
    ids=repr,
)
def test_a_temporary_error_is_waited_for(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize(
    "error",
    [
        ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"),
        ResponseError("Protocol error: invalid bulk length"),
        ResponseError("BUSYGROUP Consumer Group name already exists"),
        exceptions.DataError("Invalid input of type"),
        ValueError("a bug"),
    ],
    ids=repr,
)
def test_a_permanent_error_is_raised(error: Exception) -> None:
    assert not is_transient(error)


async def test_an_append_that_always_fails_ends_the_pass_with_an_error(stores: Stores) -> None:
    run = await stores.start()
    await stores.redis.set(keys.log_key(run.run_id), "no log at all")
    async with journal_of(stores, run) as journal:
        journal.emit(message("a", run.epoch))
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await journal.commit()
        with pytest.raises(RedisError):
            await journal.fold()
        await journal.abandon("it cannot be written")  # nor can that: the lease runs out by itself


async def test_an_append_that_exceeds_the_memory_of_redis_is_repeated(stores: Stores) -> None:
    run = await stores.start()
    await stores.redis.config_set("maxmemory", "1")
    try:
        async with journal_of(stores, run) as journal:
            journal.emit(message("a", run.epoch))
            waiting = asyncio.create_task(journal.commit())
            while not (await stores.redis.info("errorstats")).get("errorstat_OOM"):
                await asyncio.sleep(0.01)
            assert not waiting.done()
            await stores.redis.config_set("maxmemory", "0")
            await waiting
    finally:
        await stores.redis.config_set("maxmemory", "0")
    assert await stores.texts(run.run_id) == ["a"]


async def test_an_append_is_limited_in_bytes(stores: Stores) -> None:
    run = await stores.start()
    large = "é" * (LARGEST_APPEND // 8)
    async with journal_of(stores, run) as journal:
        for _ in range(10):
            journal.emit(message(large, run.epoch))
        journal.emit(message("x" * 2 * LARGEST_APPEND, run.epoch))
        await journal.commit()
    assert await stores.texts(run.run_id) == [large] * 10 + ["x" * 2 * LARGEST_APPEND]
    assert int((await stores.lease(run.run_id))["seq"]) == 5  # three to an append, and the largest alone
