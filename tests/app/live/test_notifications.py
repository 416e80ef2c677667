from __future__ import annotations

import asyncio
from contextlib import ExitStack

from redis.asyncio import Redis

from app.contract.keys import bell_channel
from app.live.notifications import SWEEP_SECONDS, Notifications
from tests.support.redis_server import RedisServer


def make_notifications(server: RedisServer) -> tuple[Notifications, Redis]:
    redis: Redis = Redis.from_url(server.url, decode_responses=True)
    return Notifications(redis), redis


async def wait_for(notified: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await notified.wait()
    notified.clear()


async def notify_until_heard(redis: Redis, run_id: str, notified: asyncio.Event) -> None:
    """Publish until Redis has subscribed the watcher: notifications before that are lost."""
    while not await redis.publish(bell_channel(run_id), "1-0"):
        await wait_for(notified)
    await wait_for(notified)


async def test_only_watchers_of_the_run_are_notified(redis_server: RedisServer) -> None:
    notifications, redis = make_notifications(redis_server)
    await notifications.start()
    with notifications.watch("a") as first, notifications.watch("a") as second, notifications.watch("b") as other:
        assert notifications.watchers == 3
        await notify_until_heard(redis, "a", first)
        assert await redis.publish(bell_channel("a"), "2-0") == 1
        await asyncio.gather(wait_for(first), wait_for(second))
        await wait_for(other)  # the sweep
    assert notifications.watchers == 0
    await notifications.stop()
    await redis.aclose()


async def test_watchers_are_notified_once_a_second_without_any_redis(own_redis: RedisServer) -> None:
    notifications, redis = make_notifications(own_redis)
    own_redis.kill()
    await notifications.start()
    with notifications.watch("a") as notified:
        for _ in range(2):
            await wait_for(notified)
    await notifications.stop()
    await redis.aclose()
    assert SWEEP_SECONDS <= 1


async def test_a_sweep_is_done_in_parts(own_redis: RedisServer) -> None:
    notifications, redis = make_notifications(own_redis)
    own_redis.kill()
    await notifications.start()
    with ExitStack() as stack:
        watched = [stack.enter_context(notifications.watch(f"run-{number}")) for number in range(60)]
        await wait_for(watched[0])
        assert sum(notified.is_set() for notified in watched) < 10
        await asyncio.gather(*map(wait_for, watched))
    await notifications.stop()
    await redis.aclose()


async def test_it_subscribes_again_after_redis_came_back(own_redis: RedisServer) -> None:
    notifications, redis = make_notifications(own_redis)
    await notifications.start()
    with notifications.watch("a") as notified:
        await notify_until_heard(redis, "a", notified)
        own_redis.kill()
        while not notifications.outages:
            await wait_for(notified)
        own_redis.start()
        await notify_until_heard(redis, "a", notified)
    await notifications.stop()
    await redis.aclose()


async def test_a_run_without_watchers_is_unsubscribed(redis_server: RedisServer) -> None:
    notifications, redis = make_notifications(redis_server)
    await notifications.start()
    with notifications.watch("b") as other:
        with notifications.watch("a") as notified:
            await notify_until_heard(redis, "a", notified)
        while await redis.publish(bell_channel("a"), "1-0"):
            await wait_for(other)
    await notifications.stop()
    await redis.aclose()


async def test_closing_wakes_everybody(redis_server: RedisServer) -> None:
    notifications, redis = make_notifications(redis_server)
    with notifications.watch("a") as notified:
        notifications.close()
        await wait_for(notified)
    assert notifications.closing
    await notifications.stop()
    await redis.aclose()
