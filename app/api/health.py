"""`/healthz`, `/readyz`, `/metrics`: whether the process is up, whether runs can be done, and how many are."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, ProcessCollector, generate_latest
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.contract.keys import DUE, UNSHIPPED
from app.contract.status import RunStatus
from app.live.hub import Hub
from app.live.notifications import Notifications
from app.stores.fleet import Fleet
from app.stores.redis_risks import list_risks
from app.stores.repositories.runs import count_runs
from app.stores.stores import Stores

TIMEOUT_SECONDS = 3.0
"""After this, a store counts as not answering."""


@get("/healthz")
async def healthz() -> dict[str, str]:
    """Respond that the process is up."""
    return {"status": "ok"}


@get("/readyz")
async def readyz(
    stores: NamedDependency[Stores],
) -> Response[dict[str, Any]]:
    """Respond with the state of Redis, SQL and the workers, 503 unless all are up, and with what Redis may lose."""
    *answers, warnings = await asyncio.gather(
        _check(stores.redis.ping()),
        _check(stores.database.ping()),
        _check(_find_worker(stores.fleet)),
        list_risks(stores.redis),
    )
    checks = dict(zip(("redis", "sql", "workers"), answers, strict=True))
    ready = all(answer == "ok" for answer in answers)
    content = {"status": "ready" if ready else "not ready", "checks": checks, "warnings": warnings}
    return Response(content, status_code=200 if ready else 503, headers={"Cache-Control": "no-store"})


@get("/metrics")
async def metrics(
    stores: NamedDependency[Stores],
    notifications: NamedDependency[Notifications],
    hub: NamedDependency[Hub],
) -> Response[bytes]:
    """Respond with the metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    Gauge("longhand_viewers", "Live pages open on this process", registry=registry).set(hub.viewers)
    Gauge("longhand_watchers", "Watchers of runs' notifications in this process", registry=registry).set(
        notifications.watchers
    )
    runs = Gauge("longhand_runs", "Runs by status", ["status"], registry=registry)
    async with stores.database.reading() as session:
        counts = await count_runs(session)
    for status in RunStatus:
        runs.labels(status.value).set(counts.get(status.value, 0))
    await _measure_redis(registry, stores)
    return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _measure_redis(registry: CollectorRegistry, stores: Stores) -> None:
    up = Gauge("longhand_redis_up", "Whether Redis answers", registry=registry)
    try:
        workers = await stores.fleet.workers()
        due, unshipped = await stores.redis.zcard(DUE), await stores.redis.zcard(UNSHIPPED)
    except RedisError:
        return
    up.set(1)
    Gauge("longhand_workers", "Workers alive", registry=registry).set(len(workers))
    held = Gauge("longhand_runs_held", "Runs that workers hold", registry=registry)
    held.set(sum(len(worker.runs) for worker in workers))
    stalled = Gauge("longhand_runs_stalled", "Held runs without an event for too long", registry=registry)
    stalled.set(sum(len(worker.stalled) for worker in workers))
    capacity = Gauge("longhand_capacity", "Runs that workers can hold", registry=registry)
    capacity.set(sum(worker.capacity for worker in workers))
    Gauge("longhand_due", "Runs due or leased", registry=registry).set(due)
    Gauge("longhand_unshipped", "Logs with events that SQL lacks", registry=registry).set(unshipped)


async def _check(check: Awaitable[Any]) -> str:
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await check
    except (RedisError, SQLAlchemyError, OSError) as error:
        return "does not answer" if not isinstance(error, _NoWorker) else "none alive"
    return "ok"


class _NoWorker(OSError):
    """No worker is alive."""


async def _find_worker(fleet: Fleet) -> None:
    if not await fleet.workers():
        raise _NoWorker
