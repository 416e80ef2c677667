"""The logs that are still to be shipped from Redis to SQL."""

from __future__ import annotations

from typing import Any

from app.contract import keys
from app.stores.scripts import Scripts

CLAIM_MS = 5_000
"""How long a run that one shipper has claimed is left alone by the others."""


class Unshipped:
    """The runs whose logs have events that SQL lacks."""

    def __init__(self, redis: Any, keep_ms: int) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._keep_ms = keep_ms

    async def claim(self, limit: int) -> list[str]:
        """Claim some of these runs for the caller to ship, and return their ids."""
        return list(await self._scripts.unshipped(keys=[keys.UNSHIPPED], args=[limit, CLAIM_MS]))

    async def release_claim(self, run_id: str) -> None:
        """Let any shipper ship a run at once that the caller has claimed and not shipped."""
        await self._redis.zadd(keys.UNSHIPPED, {run_id: 0}, xx=True)

    async def mark_shipped(self, run_id: str, shipped: str, *, sealed: bool) -> bool:
        """Record that SQL has the run's log up to `shipped`. Return whether that is all of it.

        A sealed log expires after the time that this object was created with.
        """
        reply = await self._scripts.shipped(
            keys=[keys.log_key(run_id), keys.UNSHIPPED, keys.lease_key(run_id)],
            args=[run_id, shipped, self._keep_ms if sealed else ""],
        )
        return bool(reply)
