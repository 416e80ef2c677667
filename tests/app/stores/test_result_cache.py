"""The cache of results in SQL: expiry, and writes of stale epochs."""

from __future__ import annotations

import asyncio

import pytest

from app.contract.errors import StaleEpoch
from app.stores.epochs import Minted
from tests.app.stores.stores import Stores
from worker.engine.result_cache import SqlCache


async def take_run(stores: Stores) -> Minted:
    return await stores.mint((await stores.accept()).data.title)


def cache_of(stores: Stores, minted: Minted) -> SqlCache:
    return SqlCache(stores.database, stores.epochs, minted)


async def test_cached_results_are_found_until_they_expire(stores: Stores) -> None:
    cache = cache_of(stores, await take_run(stores))
    await cache.put("k", "ws", {"a": [1, None]}, ttl=60)
    await cache.put("k", "ws", {"a": 2}, ttl=60)
    await cache.put("old", "ws", 1, ttl=-1)
    assert await cache.get("k") == {"a": 2}
    assert await cache.get("old") is None and await cache.get("none") is None


async def test_many_runs_can_save_one_result_at_the_same_time(stores: Stores) -> None:
    caches = [cache_of(stores, await take_run(stores)) for _ in range(4)]
    await asyncio.gather(*(cache.put("same", "ws", number, ttl=60) for number, cache in enumerate(caches)))
    assert await caches[0].get("same") in range(4)


async def test_a_worker_frozen_past_its_lease_does_not_overwrite_newer_results(stores: Stores) -> None:
    frozen = await take_run(stores)
    newer = await stores.mint(frozen.run_id)
    await cache_of(stores, newer).put("k", "ws", "newer", ttl=60)
    with pytest.raises(StaleEpoch):
        await cache_of(stores, frozen).put("k", "ws", "from before it froze", ttl=60)
    assert await cache_of(stores, frozen).get("k") == "newer"
