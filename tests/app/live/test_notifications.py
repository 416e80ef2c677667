from __future__ import annotations

import asyncio
from contextlib import ExitStack

from redis.asyncio import Redis

from app.contract.keys import notification_channel
from app.live.notifications import SWEEP_SECONDS, Notifications
from tests.support.redis_server import RedisServer


def make_bells(server: RedisServer) -> tuple[Notifications, Redis]:
    redis: Redis = Redis.from_url(server.url, decode_responses=True)
    return Notifications(redis), redis


async def heard(bell: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await bell.wait()
    bell.clear()


async def ring_until_heard(redis: Redis, run_id: str, bell: asyncio.Event) -> None:
    """The subscription takes a moment; nobody is promised the bells before it."""
    while not await redis.publish(notification_channel(run_id), "1-0"):
        await heard(bell)
    await heard(bell)


async def test_only_the_bell_of_the_run_rings(redis_server: RedisServer) -> None:
    bells, redis = make_bells(redis_server)
    await bells.start()
    with bells.watch("a") as first, bells.watch("a") as second, bells.watch("b") as other:
        assert bells.watchers == 3
        await ring_until_heard(redis, "a", first)
        assert await redis.publish(notification_channel("a"), "2-0") == 1
        await asyncio.gather(heard(first), heard(second))
        await heard(other)  # the sweep
    assert bells.watchers == 0
    await bells.stop()
    await redis.aclose()


async def test_a_lost_bell_is_swept_without_any_redis(own_redis: RedisServer) -> None:
    bells, redis = make_bells(own_redis)
    own_redis.kill()
    await bells.start()
    with bells.watch("a") as bell:
        for _ in range(2):
            await heard(bell)
    await bells.stop()
    await redis.aclose()
    assert SWEEP_SECONDS <= 1


async def test_a_sweep_takes_turns(own_redis: RedisServer) -> None:
    bells, redis = make_bells(own_redis)
    own_redis.kill()
    await bells.start()
    with ExitStack() as stack:
        watched = [stack.enter_context(bells.watch(f"run-{number}")) for number in range(60)]
        await heard(watched[0])
        assert sum(bell.is_set() for bell in watched) < 10
        await asyncio.gather(*map(heard, watched))
    await bells.stop()
    await redis.aclose()


async def test_it_subscribes_again_after_redis_came_back(own_redis: RedisServer) -> None:
    bells, redis = make_bells(own_redis)
    await bells.start()
    with bells.watch("a") as bell:
        await ring_until_heard(redis, "a", bell)
        own_redis.kill()
        while not bells.outages:
            await heard(bell)
        own_redis.start()
        await ring_until_heard(redis, "a", bell)
    await bells.stop()
    await redis.aclose()


async def test_who_has_left_is_unsubscribed(redis_server: RedisServer) -> None:
    bells, redis = make_bells(redis_server)
    await bells.start()
    with bells.watch("b") as other:
        with bells.watch("a") as bell:
            await ring_until_heard(redis, "a", bell)
        while await redis.publish(notification_channel("a"), "1-0"):
            await heard(other)
    await bells.stop()
    await redis.aclose()


async def test_closing_wakes_everybody(redis_server: RedisServer) -> None:
    bells, redis = make_bells(redis_server)
    with bells.watch("a") as bell:
        bells.close()
        await heard(bell)
    assert bells.closing
    await bells.stop()
    await redis.aclose()
