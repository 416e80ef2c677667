"""Who may go on with a run: leases, and the runs that are due."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from redis.exceptions import ResponseError

from app.contract import keys
from app.contract.cursors import START, parse_cursor
from app.contract.errors import StaleEpoch
from app.contract.events import RunRecovered, encode_event
from app.contract.payloads import Recovered
from app.stores.scripts import Scripts

logger = structlog.get_logger()

T = TypeVar("T")

REQUEUE_MS = 1_500
"""How long an enqueued run may go without being taken before it is due again."""

RESERVED_MS = 1_500
"""How long a run is left to the worker that is about to take it, unless that one says that it still is."""

PAGE = 1_000
"""How many ids are read at once from what is due."""


@dataclass(frozen=True, slots=True)
class Due:
    """A run that somebody should pick up, as its lease describes it."""

    run_id: str
    workflow: str
    version: str
    epoch: int
    holder: str


class Leases:
    """Takes, renews and finds leases. All times are Redis's own, so that workers' clocks do not matter."""

    def __init__(self, redis: Any, lease_ms: int, *, reserved_ms: int = RESERVED_MS) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self._name = secrets.token_hex(8)
        self._reserved: set[str] = set()
        self.lease_ms = lease_ms
        self._reserved_ms = reserved_ms

    async def reserve(self, run_id: str) -> bool:
        """Whether the caller may mint an epoch for the run now: nobody holds it, and nobody else is about to take it.

        An epoch that is minted while another is being taken would cut that one off from SQL. What was reserved here
        is only taken under that reservation: when Redis was lost in between, the epoch must be minted anew.
        """
        self._reserved.discard(run_id)
        if not await self._reserve(run_id, again=False):
            return False
        self._reserved.add(run_id)
        return True

    async def keep_reserved(self, run_id: str, action: Coroutine[Any, Any, T]) -> T:
        """Await this, and keep the caller's reservation for as long as it takes. One that is lost stays lost."""
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
        """Take the run for a minted epoch: gives the newest command's cursor, or None when it is not to be had.

        `state` and `shipped` are what SQL knows (`Minted` has them). The state counts where Redis has lost the run;
        a stream that Redis lost the end of, although it was archived, gives way to the archive.
        """
        reserver = self._name if run_id in self._reserved else ""
        self._reserved.discard(run_id)
        reply = await self._scripts.take(
            keys=[keys.lease_key(run_id), keys.DUE, keys.log_key(run_id)],
            args=[run_id, epoch, holder, self.lease_ms, workflow, version, state, shipped, reserver],
        )
        return (reply[1] or START) if reply[0] == "ok" else None

    async def renew(self, run_id: str, epoch: int) -> str:
        """Renew the lease: gives the newest command's cursor. Raises `StaleEpoch` when it is lost."""
        reply = await self._scripts.renew(keys=[keys.lease_key(run_id), keys.DUE], args=[run_id, epoch, self.lease_ms])
        if reply[0] != "ok":
            raise StaleEpoch(f"The lease of epoch {epoch} is lost.")
        return reply[1] or START

    async def idle(self, run_ids: Sequence[str]) -> dict[str, int]:
        """How long (ms) it is since each of these runs had its last event; those without any are left out."""
        if not run_ids:
            return {}
        pipe = self._redis.pipeline(transaction=False)
        for run_id in run_ids:
            pipe.hget(keys.lease_key(run_id), "last")
        lasts = await pipe.execute()
        now = await self._now()
        return {run_id: now - parse_cursor(last)[0] for run_id, last in zip(run_ids, lasts, strict=True) if last}

    async def due(self, limit: int, passed: set[str] | None = None) -> list[Due]:
        """The runs that are due, longest waiting first, but none of those in `passed`.

        Those that are not due any more are taken out of `passed`.
        """
        ids = await self._due_ids(limit, set() if passed is None else passed)
        if not ids:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for run_id in ids:
            pipe.hmget(keys.lease_key(run_id), "workflow", "version", "epoch", "holder")
        leases = await pipe.execute(raise_on_error=False)
        return [due for run_id, lease in zip(ids, leases, strict=True) if (due := _due(run_id, lease))]

    async def _due_ids(self, limit: int, passed: set[str]) -> list[str]:
        now, found, seen, start = await self._now(), list[str](), set[str](), 0
        while len(found) < limit:
            page = await self._redis.zrangebyscore(keys.DUE, "-inf", now, start=start, num=PAGE)
            start += len(page)
            seen.update(page)
            found += [run_id for run_id in page if run_id not in passed]
            if len(page) < PAGE:
                passed &= seen
                break
        return found[:limit]

    async def _now(self) -> int:
        seconds, micros = await self._redis.time()
        return int(seconds * 1000 + micros // 1000)

    async def claim(self, due: Due, *, state: str = "", shipped: str = "") -> int | None:
        """Claim a due run, so that no other supervisor enqueues it now; gives the time (ms) it was due.

        Where its lease ran out, the lease is revoked and the log says `run.recovered`. None: not ours.

        `state` and `shipped` are what SQL knows of a run whose lease ran out. They count where Redis has lost the end
        of its log: what SQL knows as waiting or ended stays so.
        """
        recovered = encode_event(RunRecovered(epoch=due.epoch, data=Recovered(holder=due.holder)))
        bell = keys.bell_channel(due.run_id)
        reply = await self._scripts.claim(
            keys=[keys.log_key(due.run_id), keys.lease_key(due.run_id), keys.DUE, keys.UNSHIPPED],
            args=[due.run_id, REQUEUE_MS, due.epoch, recovered, bell, state, shipped],
        )
        return int(reply) if reply else None

    async def return_claims(self, run_ids: Sequence[str]) -> None:
        """Make these runs, which were claimed for a moment, due now."""
        await self._redis.zadd(keys.DUE, dict.fromkeys(run_ids, await self._now()), xx=True, lt=True)

    async def restore(self, run_id: str, workflow: str, version: str, shipped: str = "") -> bool:
        """Make a run due that SQL knows as open, and that nobody would pick up; whether that was so.

        One whose last archived entry, `shipped`, is news to Redis is due too, whoever holds it or waits for an answer.
        """
        reply = await self._scripts.restore(
            keys=[keys.lease_key(run_id), keys.DUE, keys.log_key(run_id)], args=[run_id, workflow, version, shipped]
        )
        return bool(reply)

    async def server(self) -> str:
        """Which life of which Redis server this is: after a restart, and after a failover, it is another."""
        return str((await self._redis.info("server")).get("run_id", ""))

    async def known(self, run_ids: Sequence[str]) -> set[str]:
        """Those of the runs that somebody picks up, now or when their lease runs out."""
        if not run_ids:
            return set()
        scores = await self._redis.zmscore(keys.DUE, list(run_ids))
        return {run_id for run_id, score in zip(run_ids, scores, strict=True) if score is not None}


def _due(run_id: str, lease: Any) -> Due | None:
    """The run as its lease describes it; None for a damaged lease, which must not hide the others."""
    if isinstance(lease, ResponseError):
        logger.warning("lease damaged", run=run_id, error=str(lease))
        return None
    workflow, version, epoch, holder = lease
    if epoch and not epoch.isdecimal():
        logger.warning("lease damaged", run=run_id, epoch=epoch)
        return None
    return Due(run_id, workflow or "", version or "", int(epoch or 0), holder or "")
