"""Leases of runs, and the runs that are due."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from redis.exceptions import ResponseError

from app.contract import keys
from app.contract.codec import encode_event
from app.contract.cursors import START, parse_cursor
from app.contract.errors import StaleEpoch
from app.contract.events import RunRecovered
from app.contract.payloads import Recovered
from app.stores.scripts import Scripts

_logger = structlog.get_logger()

T = TypeVar("T")

REQUEUE_MS = 1_500
"""How long (ms) an enqueued run may wait for a worker before it is due again."""

RESERVED_MS = 1_500
"""How long (ms) a run is reserved for the worker that is about to take it, unless the worker reserves it again."""

PAGE = 1_000
"""How many ids of due runs are read at once."""


@dataclass(frozen=True, slots=True)
class Due:
    """A run that a worker should take, as its lease describes it."""

    run_id: str
    workflow: str
    version: str
    epoch: int
    holder: str


class Leases:
    """Takes, renews and finds leases. All times are those of Redis, so that workers' clocks do not matter."""

    def __init__(self, redis: Any, lease_ms: int, *, reserved_ms: int = RESERVED_MS) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._name = secrets.token_hex(8)
        self._reserved: set[str] = set()
        self.lease_ms = lease_ms
        self._reserved_ms = reserved_ms

    async def reserve(self, run_id: str) -> bool:
        """Reserve the run if nobody holds it and nobody else is about to take it. Return whether it is reserved.

        Only with a reservation may the caller mint an epoch: one that is minted while a worker takes the run would cut
        that worker off from SQL. A run that was reserved here is taken under that reservation only: when Redis was lost
        in between, the epoch must be minted anew.
        """
        self._reserved.discard(run_id)
        if not await self._reserve(run_id, again=False):
            return False
        self._reserved.add(run_id)
        return True

    async def keep_reserved(self, run_id: str, action: Coroutine[Any, Any, T]) -> T:
        """Await the action, and renew the caller's reservation meanwhile. One that is lost stays lost."""
        task = asyncio.create_task(action)
        try:
            while not (await asyncio.wait([task], timeout=self._reserved_ms / 3000))[0]:
                await self._reserve(run_id, again=True)
            return task.result()
        finally:
            task.cancel()

    async def _reserve(self, run_id: str, *, again: bool) -> bool:
        args = [self._reserved_ms, self._name, "again" if again else ""]
        return bool(await self._scripts.reserve(keys=[keys.lease_key(run_id)], args=args))

    async def take(
        self,
        run_id: str,
        epoch: int,
        holder: str,
        workflow: str,
        version: str,
        *,
        state: str = "queued",
        shipped: str = "",
    ) -> str | None:
        """Take the run for a minted epoch. Return the newest command's cursor, or None when the run cannot be taken.

        `state` and `shipped` are those of SQL (`Minted` has them). The state counts where Redis has lost the run. Where
        Redis has lost archived entries at the stream's end, the archive counts.
        """
        reserver = self._name if run_id in self._reserved else ""
        self._reserved.discard(run_id)
        reply = await self._scripts.take(
            keys=[keys.lease_key(run_id), keys.DUE, keys.log_key(run_id)],
            args=[run_id, epoch, holder, self.lease_ms, workflow, version, state, shipped, reserver],
        )
        return (reply[1] or START) if reply[0] == "ok" else None

    async def renew(self, run_id: str, epoch: int) -> str:
        """Renew the lease and return the newest command's cursor. Raise `StaleEpoch` when the lease is lost."""
        reply = await self._scripts.renew(keys=[keys.lease_key(run_id), keys.DUE], args=[run_id, epoch, self.lease_ms])
        if reply[0] != "ok":
            raise StaleEpoch(f"The lease of epoch {epoch} is lost.")
        return reply[1] or START

    async def idle_times(self, run_ids: Sequence[str]) -> dict[str, int]:
        """Return the time (ms) since the last event of each of these runs; runs without any are left out."""
        if not run_ids:
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for run_id in run_ids:
            pipe.hget(keys.lease_key(run_id), "last")
        lasts = await pipe.execute()
        now = await self._now()
        return {run_id: now - parse_cursor(last)[0] for run_id, last in zip(run_ids, lasts, strict=True) if last}

    async def find_due(self, limit: int, skipped: set[str] | None = None) -> list[Due]:
        """Return the runs that are due, longest waiting first, but none of those in `skipped`.

        Remove from `skipped` the runs that are not due any more.
        """
        ids = await self._due_ids(limit, set() if skipped is None else skipped)
        if not ids:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for run_id in ids:
            pipe.hmget(keys.lease_key(run_id), "workflow", "version", "epoch", "holder")
        leases = await pipe.execute(raise_on_error=False)
        return [due for run_id, lease in zip(ids, leases, strict=True) if (due := _due(run_id, lease))]

    async def _due_ids(self, limit: int, skipped: set[str]) -> list[str]:
        now, found, seen, start = await self._now(), list[str](), set[str](), 0
        while len(found) < limit:
            page = await self._redis.zrangebyscore(keys.DUE, "-inf", now, start=start, num=PAGE)
            start += len(page)
            seen.update(page)
            found += [run_id for run_id in page if run_id not in skipped]
            if len(page) < PAGE:
                skipped &= seen
                break
        return found[:limit]

    async def _now(self) -> int:
        seconds, micros = await self._redis.time()
        return int(seconds * 1000 + micros // 1000)

    async def claim(self, due: Due, *, state: str = "", shipped: str = "") -> int | None:
        """Claim a due run, so that no other scheduler enqueues it now. Return the time (ms) at which it was due.

        Return None when it is not the caller's to enqueue. Where its lease ran out, revoke the lease and append
        `run.recovered`. `state` and `shipped` are those of SQL for such a run. They count where Redis has lost the end
        of its log: a run that is waiting or ended in SQL stays so.
        """
        recovered = encode_event(RunRecovered(epoch=due.epoch, data=Recovered(holder=due.holder)))
        channel = keys.notification_channel(due.run_id)
        reply = await self._scripts.claim(
            keys=[keys.log_key(due.run_id), keys.lease_key(due.run_id), keys.DUE, keys.UNSHIPPED],
            args=[due.run_id, REQUEUE_MS, due.epoch, recovered, channel, state, shipped],
        )
        return int(reply) if reply else None

    async def return_claims(self, run_ids: Sequence[str]) -> None:
        """Make these runs, which were claimed for a moment, due now."""
        await self._redis.zadd(keys.DUE, dict.fromkeys(run_ids, await self._now()), xx=True, lt=True)

    async def restore(self, run_id: str, workflow: str, version: str, shipped: str = "") -> bool:
        """Make a run due that is open in SQL, and that no worker would take. Return whether it was such a run.

        A run whose last archived entry, `shipped`, is missing in Redis becomes due too, even if it is held or waits for
        an answer.
        """
        reply = await self._scripts.restore(
            keys=[keys.lease_key(run_id), keys.DUE, keys.log_key(run_id)], args=[run_id, workflow, version, shipped]
        )
        return bool(reply)

    async def server_id(self) -> str:
        """Return the id of the running Redis server: a restart or a failover changes it."""
        return str((await self._redis.info("server")).get("run_id", ""))

    async def find_scheduled(self, run_ids: Sequence[str]) -> set[str]:
        """Return which of these runs a worker will take, now or when their lease runs out."""
        if not run_ids:
            return set()
        scores = await self._redis.zmscore(keys.DUE, list(run_ids))
        return {run_id for run_id, score in zip(run_ids, scores, strict=True) if score is not None}


def _due(run_id: str, lease: Any) -> Due | None:
    """Return the run as its lease describes it; None for a damaged lease, which must not hide the others."""
    if isinstance(lease, ResponseError):
        _logger.warning("lease damaged", run=run_id, error=str(lease))
        return None
    workflow, version, epoch, holder = lease
    if epoch and not epoch.isdecimal():
        _logger.warning("lease damaged", run=run_id, epoch=epoch)
        return None
    return Due(run_id, workflow or "", version or "", int(epoch or 0), holder or "")
