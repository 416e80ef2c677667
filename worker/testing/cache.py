"""A cache in memory: it holds the results of `.cache()`, as Redis does in a worker."""

from __future__ import annotations

import asyncio
from typing import Any


class MemoryCache:
    """Results until they expire. Each disturbed run has a cache of its own, unless its scenario shares one."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[float, Any]] = {}

    async def get(self, key: str) -> Any | None:
        deadline, value = self._entries.get(key, (0.0, None))
        return value if asyncio.get_running_loop().time() < deadline else None

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None:
        self._entries[key] = (asyncio.get_running_loop().time() + ttl, value)
