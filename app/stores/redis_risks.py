"""Risks of data loss in the settings of a Redis server, for a warning when a process starts."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from redis.exceptions import RedisError, ResponseError

logger = structlog.get_logger()

TIMEOUT_SECONDS = 3.0
"""How long to wait for Redis. Other code reports a Redis that does not answer."""

_LOST = (
    "Runs and what was shipped to the database stay; what is lost is what the database does not have yet, usually the "
    "last half second: steps that succeeded in it are executed again, and a cancel, a retry or an answer given in it "
    "is gone."
)
_APPEND = "Set `appendonly yes` and `appendfsync everysec`."
_KEEP = "Set `maxmemory-policy noeviction`."


async def find_risks(redis: Any) -> list[str]:
    """Return the risks of this server's settings, a sentence or two for each. Raise what Redis raises."""
    info = await redis.info()
    return [*await _persistence(redis, info), *_eviction(info)]


async def warn_of_risks(redis: Any) -> None:
    """Log each risk once. Log nothing where Redis does not answer, or hides its settings."""
    for risk in await list_risks(redis):
        logger.warning("redis may lose data", risk=risk)


async def list_risks(redis: Any) -> list[str]:
    """Return the risks as `find_risks` does; none where Redis does not answer, or hides its settings."""
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return await find_risks(redis)
    except (RedisError, OSError):
        return []


async def _persistence(redis: Any, info: dict[str, Any]) -> list[str]:
    if int(info.get("aof_enabled", 0)):
        return []
    match await _has_snapshots(redis, info):
        case True:
            kept = "Redis writes snapshots only (appendonly no): when it dies, it comes back as it was minutes ago."
        case False:
            kept = "Redis keeps nothing on disk (appendonly no, save empty): when it stops, it comes back empty."
        case None:
            kept = "Redis writes no append-only file (appendonly no), and does not say whether it writes snapshots."
    return [f"{kept} {_LOST} {_APPEND}"]


async def _has_snapshots(redis: Any, info: dict[str, Any]) -> bool | None:
    """Return whether the server writes snapshots by itself; None when it does not say."""
    try:
        return bool((await redis.config_get("save")).get("save"))
    except ResponseError:  # hosted servers forbid CONFIG
        return True if int(info.get("rdb_saves", 0)) else None


def _eviction(info: dict[str, Any]) -> list[str]:
    policy, limit = str(info.get("maxmemory_policy", "noeviction")), int(info.get("maxmemory", 0))
    if not limit or policy == "noeviction":
        return []
    full = f"When Redis has used its {limit:,} bytes (maxmemory-policy {policy}), it drops"
    if policy.startswith("volatile-"):
        return [
            f"{full} keys that would expire later: logs of ended runs (the database has them), jobs on their way to a "
            "worker (they are enqueued again after seconds) and the counts behind the model provider's limits (which "
            f"may then be exceeded for a minute). No run loses anything. {_KEEP}"
        ]
    return [f"{full} any key, also a run's live log and lease: it then stops and is taken up again. {_LOST} {_KEEP}"]
