"""A worker's connection to Redis, made for very many small calls."""

from __future__ import annotations

import asyncio
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

ANSWER_SECONDS = 10.0
"""How long a call may take, tries and all. A Redis that is silent for longer is given up, and asked anew."""

CONNECT_SECONDS = 5.0
HEALTH_CHECK_SECONDS = 15
TRIES = 3

READING: dict[str, Any] = {"decode_responses": True, "encoding_errors": "backslashreplace"}
"""How every client reads text. A byte that is no UTF-8 becomes an escape such as `\\xff`, which JSON does not know: an
entry of a log that holds one is unreadable, in Redis and in SQL alike, and no more than that."""


class _LimitedPipeline(Pipeline):
    async def execute(self, raise_on_error: bool = True) -> list[Any]:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await super().execute(raise_on_error)


class LimitedRedis(Redis):
    """Limits the time of whole calls. Raises the built-in `TimeoutError`, which is an `OSError`.

    The library's own limit is one for each write, with a task of its own, and one for each reply in a pipeline: with
    many small calls that is a tenth of a worker's processor time.
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # by redis-py

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _LimitedPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)


def connect(url: str) -> Any:
    """A client for a worker. Trying again is safe: every append carries what makes its repeat harmless."""
    pool = ConnectionPool.from_url(
        url,
        **READING,
        socket_connect_timeout=CONNECT_SECONDS,
        health_check_interval=HEALTH_CHECK_SECONDS,
        retry=Retry(ExponentialBackoff(cap=0.5, base=0.05), TRIES),
    )
    return LimitedRedis.from_pool(pool)
