"""Who may go on with a run: leases, and the runs that are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.contract import keys
from app.contract.cursors import START
from app.contract.errors import StaleEpoch
from app.contract.events import RunRecovered, encode_event
from app.contract.payloads import Recovered
from app.stores.scripts import Scripts

REQUEUE_MS = 5_000
"""How long an enqueued run may go without being taken before it is due again."""

RESERVED_MS = 2_000
"""How long a run is left to the worker that is about to take it."""


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

    def __init__(self, redis: Any, lease_ms: int) -> None:
        self._redis = redis
        self._scripts = Scripts(redis)
        self.lease_ms = lease_ms

    async def reserve(self, run_id: str) -> bool:
        """Whether the caller may mint an epoch for the run now: nobody holds it, and nobody else is about to take it.

        An epoch that is minted while another is being taken would cut that one off from SQL.
        """
        reply = await self._scripts.reserve(keys=[keys.lease_key(run_id)], args=[RESERVED_MS])
        return bool(reply)

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
        reply = await self._scripts.take(
            keys=[keys.lease_key(run_id), keys.DUE, keys.log_key(run_id)],
            args=[run_id, epoch, holder, self.lease_ms, workflow, version, state, shipped],
        )
        return (reply[1] or START) if reply[0] == "ok" else None

    async def is_held(self, run_id: str) -> bool:
        """Whether somebody holds the run and has not let the lease run out."""
        state, deadline = await self._redis.hmget(keys.lease_key(run_id), "state", "deadline")
        seconds, micros = await self._redis.time()
        return bool(state == "held" and int(deadline or 0) > seconds * 1000 + micros // 1000)

    async def renew(self, run_id: str, epoch: int) -> str:
        """Renew the lease: gives the newest command's cursor. Raises `StaleEpoch` when it is lost."""
        reply = await self._scripts.renew(keys=[keys.lease_key(run_id), keys.DUE], args=[run_id, epoch, self.lease_ms])
        if reply[0] != "ok":
            raise StaleEpoch(f"The lease of epoch {epoch} is lost.")
        return reply[1] or START

    async def due(self, limit: int) -> list[Due]:
        """The runs that are due, longest waiting first."""
        seconds, micros = await self._redis.time()
        now = seconds * 1000 + micros // 1000
        ids: Sequence[str] = await self._redis.zrangebyscore(keys.DUE, "-inf", now, start=0, num=limit)
        if not ids:
            return []
        pipe = self._redis.pipeline(transaction=False)
        for run_id in ids:
            pipe.hmget(keys.lease_key(run_id), "workflow", "version", "epoch", "holder")
        leases = await pipe.execute()
        return [
            Due(run_id, workflow or "", version or "", int(epoch or 0), holder or "")
            for run_id, (workflow, version, epoch, holder) in zip(ids, leases, strict=True)
        ]

    async def claim(self, due: Due) -> int | None:
        """Claim a due run, so that no other supervisor enqueues it now; gives the time (ms) it was due.

        Where its lease ran out, the lease is revoked and the log says `run.recovered`. None: not ours.
        """
        recovered = RunRecovered(epoch=due.epoch, data=Recovered(holder=due.holder))
        reply = await self._scripts.claim(
            keys=[keys.log_key(due.run_id), keys.lease_key(due.run_id), keys.DUE, keys.UNSHIPPED],
            args=[due.run_id, REQUEUE_MS, due.epoch, encode_event(recovered), keys.bell_channel(due.run_id)],
        )
        return int(reply) if reply else None

    async def restore(self, run_id: str, workflow: str, version: str) -> bool:
        """Make a run due that SQL knows as open and Redis does not know; whether that was so."""
        reply = await self._scripts.restore(keys=[keys.lease_key(run_id), keys.DUE], args=[run_id, workflow, version])
        return bool(reply)

    async def known(self, run_ids: Sequence[str]) -> set[str]:
        """Those of the runs that Redis has a lease for, held or not."""
        pipe = self._redis.pipeline(transaction=False)
        for run_id in run_ids:
            pipe.hexists(keys.lease_key(run_id), "state")
        return {run_id for run_id, found in zip(run_ids, await pipe.execute(), strict=True) if found}
