"""What is still to be shipped from the hot logs to SQL."""

from __future__ import annotations

from typing import Any

from app.contract import keys
from app.stores.scripts import Scripts

CLAIM_MS = 5_000
"""How long other shippers leave a run alone that one of them is shipping."""


class Unshipped:
    """The runs whose logs have events that SQL lacks."""

    def __init__(self, redis: Any, keep_ms: int) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._keep_ms = keep_ms

    async def claim(self, limit: int) -> list[str]:
        """Some of these runs, to be shipped by the caller."""
        return list(await self._scripts.unshipped(keys=[keys.UNSHIPPED], args=[limit, CLAIM_MS]))

    async def return_claim(self, run_id: str) -> None:
        """Let a run be shipped at once that the caller has claimed and not shipped."""
        await self._redis.zadd(keys.UNSHIPPED, {run_id: 0}, xx=True)

    async def settle(self, run_id: str, shipped: str, *, sealed: bool) -> bool:
        """Say up to where the run is in SQL; whether that is all. A sealed log expires after its time."""
        reply = await self._scripts.shipped(
            keys=[keys.log_key(run_id), keys.UNSHIPPED, keys.lease_key(run_id)],
            args=[run_id, shipped, self._keep_ms if sealed else ""],
        )
        return bool(reply)
