"""The web process: uvicorn around `app.main:create_app`."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress

import uvicorn
from redis.asyncio import Redis

from app.contract.settings import Settings
from app.http.logs import configure_logs
from app.stores.redis_risks import warn_of_risks

GRACE_SECONDS = 1
"""How long open requests may go on after SIGTERM. Streams end by themselves before."""


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT."""
    configure_logs()
    raise_file_limit()
    if settings.redis_url:
        asyncio.run(_warn(settings.redis_url))
    uvicorn.run(
        "app.main:create_app",
        factory=True,
        host=settings.host,
        port=settings.port,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def raise_file_limit() -> int:
    """Raise the limit of open files to the hard limit; return it. Each viewer takes one, and shells allow few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # macOS reports an infinite limit and refuses it
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        return hard
    return soft


async def _warn(url: str) -> None:
    """Log once what the Redis may lose, before anything is stored there."""
    redis: Redis
    async with Redis.from_url(url, decode_responses=True, socket_connect_timeout=2) as redis:
        await warn_of_risks(redis)
