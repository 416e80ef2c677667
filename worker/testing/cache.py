"""A cache in memory: what `.cache()` keeps results in, as Redis is in a worker."""

from __future__ import annotations

import asyncio
from typing import Any


class MemoryCache:
    """Results until they expire. Each disturbed run has one of its own, unless its world shares one."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[float, Any]] = {}

    async def get(self, key: str) -> Any | None:
        deadline, value = self._kept.get(key, (0.0, None))
        return value if asyncio.get_running_loop().time() < deadline else None

    async def put(self, key: str, scope: str, value: Any, ttl: float) -> None:
        self._kept[key] = (asyncio.get_running_loop().time() + ttl, value)
