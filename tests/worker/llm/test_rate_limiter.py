"""The rate limiter on a real Redis: calls wait for room, and killed workers hold none."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import cast

import pytest
from redis.asyncio import Redis

from tests.model_server import ModelServer
from tests.worker.llm.conftest import Gateways
from tests.worker.llm.test_gateway import ask, read
from worker.llm.rate_limiter import Limits, RateLimiter

MODEL = "openai:first"


class Waits:
    """Records when a call begins to wait, and when its wait is over."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.seconds: list[float] = []
        self.over = 0

    @contextmanager
    def __call__(self, seconds: float) -> Iterator[None]:
        self.seconds.append(seconds)
        self.begun.set()
        try:
            yield
        finally:
            self.over += 1


async def hold(rate_limiter: RateLimiter, entered: asyncio.Event, leave: asyncio.Event, tokens: int = 1) -> None:
    async with rate_limiter.admit(MODEL, tokens):
        entered.set()
        await leave.wait()


async def pass_through(rate_limiter: RateLimiter, tokens: int = 1, used: int | None = None) -> None:
    async with rate_limiter.admit(MODEL, tokens) as admission:
        admission.used = used


async def counted_tokens(redis: Redis) -> list[int]:
    values = await cast("Awaitable[list[bytes]]", redis.hvals(f"governor:{MODEL}:tokens"))
    return [int(value) for value in values]


async def test_without_limits_nothing_is_kept_in_redis(redis: Redis) -> None:
    await pass_through(RateLimiter(redis, Limits()))
    assert await redis.keys("*") == []


async def test_a_place_is_given_back(redis: Redis) -> None:
    waits = Waits()
    rate_limiter = RateLimiter(redis, Limits(concurrency=1), waiting=waits)
    await pass_through(rate_limiter)
    await pass_through(rate_limiter)
    assert waits.seconds == []


async def test_the_next_call_waits_for_a_place_and_says_so(redis: Redis) -> None:
    waits, entered, leave = Waits(), asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(hold(RateLimiter(redis, Limits(concurrency=1)), entered, leave))
    await entered.wait()

    second = asyncio.create_task(pass_through(RateLimiter(redis, Limits(concurrency=1), waiting=waits)))
    await waits.begun.wait()
    assert not second.done()
    leave.set()

    await asyncio.gather(holder, second)
    assert waits.over == 1


async def test_other_models_have_limits_of_their_own(redis: Redis) -> None:
    rate_limiter, entered, leave = RateLimiter(redis, Limits(concurrency=1)), asyncio.Event(), asyncio.Event()
    holder = asyncio.create_task(hold(rate_limiter, entered, leave))
    await entered.wait()
    async with rate_limiter.admit("openai:second", 1):
        leave.set()
    await holder


async def test_a_cancelled_wait_holds_nothing(redis: Redis) -> None:
    waits, entered, leave = Waits(), asyncio.Event(), asyncio.Event()
    rate_limiter = RateLimiter(redis, Limits(concurrency=1), waiting=waits)
    holder = asyncio.create_task(hold(rate_limiter, entered, leave))
    await entered.wait()
    waiting = asyncio.create_task(pass_through(rate_limiter))
    await waits.begun.wait()

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    leave.set()
    await holder

    assert await redis.zcard(f"governor:{MODEL}:held") == 0
    assert waits.over == 1


async def test_a_cancelled_call_gives_its_place_back(redis: Redis) -> None:
    entered = asyncio.Event()
    holder = asyncio.create_task(hold(RateLimiter(redis, Limits(concurrency=1)), entered, asyncio.Event()))
    await entered.wait()
    holder.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holder
    assert await redis.zcard(f"governor:{MODEL}:held") == 0


async def test_a_holder_keeps_its_place_beyond_the_lease(redis: Redis) -> None:
    """The lease is renewed several times over while a second one waits for it."""
    entered, leave = asyncio.Event(), asyncio.Event()
    short = RateLimiter(redis, Limits(concurrency=1), lease=0.9)
    holder = asyncio.create_task(hold(short, entered, leave))
    await entered.wait()
    first_end = await redis.zscore(f"governor:{MODEL}:held", await _only_holder(redis))

    while await redis.zscore(f"governor:{MODEL}:held", await _only_holder(redis)) < first_end + 600:
        await asyncio.sleep(0)
    waits = Waits()
    second = asyncio.create_task(pass_through(RateLimiter(redis, Limits(concurrency=1), waiting=waits)))
    await waits.begun.wait()
    assert not second.done()
    leave.set()
    await asyncio.gather(holder, second)


async def _only_holder(redis: Redis) -> bytes:
    (holder,) = await redis.zrange(f"governor:{MODEL}:held", 0, -1)
    assert isinstance(holder, bytes)
    return holder


HOLDER = """
import asyncio, sys
from redis.asyncio import Redis
from worker.llm.rate_limiter import Limits, RateLimiter
async def main():
    limiter = RateLimiter(Redis.from_url(sys.argv[1]), Limits(concurrency=1), lease=1)
    async with limiter.admit(sys.argv[2], 1):
        print("held", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_a_killed_holder_frees_its_place(redis: Redis, redis_url: str) -> None:
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", HOLDER, redis_url, MODEL, stdout=PIPE)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    waits = Waits()
    second = asyncio.create_task(pass_through(RateLimiter(redis, Limits(concurrency=1), waiting=waits)))
    await waits.begun.wait()

    holder.kill()

    await holder.wait()
    await second


async def test_requests_a_minute_are_limited_in_any_window(redis: Redis) -> None:
    waits = Waits()
    rate_limiter = RateLimiter(redis, Limits(requests_per_minute=3), waiting=waits, minute=1)
    await asyncio.gather(*(pass_through(rate_limiter) for _ in range(3)))
    assert waits.seconds == []
    await pass_through(rate_limiter)
    assert len(waits.seconds) == 1 and 0 < waits.seconds[0] <= 1


async def test_tokens_a_minute_are_limited_by_what_is_reserved(redis: Redis) -> None:
    waits = Waits()
    rate_limiter = RateLimiter(redis, Limits(tokens_per_minute=100), waiting=waits, minute=1)
    await pass_through(rate_limiter, tokens=60)
    assert waits.seconds == []
    await pass_through(rate_limiter, tokens=60)
    assert len(waits.seconds) == 1


async def test_what_a_call_really_took_replaces_what_was_reserved(redis: Redis) -> None:
    waits = Waits()
    rate_limiter = RateLimiter(redis, Limits(tokens_per_minute=100), waiting=waits)
    for _ in range(4):
        await pass_through(rate_limiter, tokens=60, used=10)
    assert waits.seconds == []
    assert sum(await counted_tokens(redis)) == 40


async def test_a_call_above_the_whole_limit_gets_its_turn(redis: Redis) -> None:
    rate_limiter = RateLimiter(redis, Limits(tokens_per_minute=100), minute=0.2)
    await pass_through(rate_limiter, tokens=10)
    await pass_through(rate_limiter, tokens=5000)


async def test_two_gateways_share_one_limit(gateways: Gateways, server: ModelServer, redis: Redis) -> None:
    waits = Waits()
    limits = Limits(concurrency=1)
    first = gateways.open(rate_limiter=RateLimiter(redis, limits))
    second = gateways.open(rate_limiter=RateLimiter(redis, limits, waiting=waits))
    gate = server.script.hold("write-section", after=1)

    writing = asyncio.create_task(read(first))
    await gate.reached()
    asking = asyncio.create_task(ask(second))
    await waits.begun.wait()
    assert server.counts == {"write-section": 1}
    gate.release()

    await asyncio.gather(writing, asking)
    assert server.counts == {"write-section": 1, "take-notes": 1}


async def test_the_gateway_settles_by_what_the_provider_counted(gateways: Gateways, redis: Redis) -> None:
    await ask(gateways.open(rate_limiter=RateLimiter(redis, Limits(tokens_per_minute=100_000))))
    assert await counted_tokens(redis) == [gateways.last.input_tokens + gateways.last.output_tokens]
