"""A worker's connection to Redis, built for very many small calls."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

CALL_SECONDS = 10.0
"""How long a call may take with all its tries. After that it raises `TimeoutError`."""

CONNECT_SECONDS = 5.0
HEALTH_CHECK_SECONDS = 15
TRIES = 3

CLIENT_OPTIONS: dict[str, Any] = {"decode_responses": True, "encoding_errors": "backslashreplace"}
"""How every client decodes text. A byte that is no UTF-8 becomes an escape such as `\\xff`, which is not valid JSON: a
log entry with such a byte is then unreadable, in Redis and in SQL alike, and does no other harm."""


class _LimitedPipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with asyncio.timeout(CALL_SECONDS):
            return await super().execute(raise_on_error)


class LimitedRedis(Redis):
    """A client that limits the time of whole calls, and raises the built-in `TimeoutError`, which is an `OSError`.

    The library limits each write, in a task of its own, and each reply of a pipeline: with many small calls that takes
    a tenth of a worker's processor time.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with asyncio.timeout(CALL_SECONDS):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # by redis-py

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _LimitedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


def connect(url: str) -> Any:
    """Return a client for a worker. It repeats failed calls, which is safe: a repeated append changes nothing."""
    pool = ConnectionPool.from_url(
        url,
        **CLIENT_OPTIONS,
        socket_connect_timeout=CONNECT_SECONDS,
        health_check_interval=HEALTH_CHECK_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), TRIES),
    )
    return LimitedRedis.from_pool(pool)
