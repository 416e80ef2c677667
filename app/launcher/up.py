"""`longhand up`: the whole product on one machine, as processes that are kept running and stopped in order."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from redis.asyncio import Redis

from app.contract.settings import Settings
from app.launcher.embedded_redis import find_free_port, prepare_redis, wait_for_redis
from app.launcher.pid_locks import claim, end_leftovers
from app.launcher.process import OWN_NAME, ProcessCommand
from app.launcher.readiness import check_free, get_address, wait_until_ready
from app.launcher.signals import StopSignals
from app.launcher.supervision import Supervision
from app.launcher.terminal import Say, Terminal
from app.stores.redis_risks import list_risks
from app.stores.schema_version import is_current

STOP_MARGIN_SECONDS = 10
"""What a process gets on top of the time its own drain takes."""


async def start_and_supervise(settings: Settings, say: Say | None = None) -> None:
    """Starts everything and keeps it running, until SIGTERM or Ctrl-C; then nothing of it is left.

    Raises:
        CannotStart: something that it needs is missing, or is in use; nothing is left running.
    """
    say = say or Terminal()
    stopping = StopSignals()
    with claim(settings.data_dir):
        stopping.listen()
        slots = settings.data_dir.absolute() / "processes"
        supervision = Supervision(slots, say)
        starting = asyncio.create_task(_start(settings, supervision, slots, say))
        asked = asyncio.create_task(stopping.asked.wait())
        try:
            await asyncio.wait({starting, asked}, return_when=asyncio.FIRST_COMPLETED)
            if not asked.done():
                await starting
                await asked
            say(OWN_NAME, "stopping; press Ctrl-C again to hurry")
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await supervision.stop(stopping.hurry)
        say(OWN_NAME, "stopped")


async def _start(settings: Settings, supervision: Supervision, slots: Path, say: Say) -> None:
    await end_leftovers(slots)
    port = settings.port or find_free_port(settings.host)
    check_free(settings.host, port)
    environment = {
        "LONGHAND_HOST": settings.host,
        "LONGHAND_PORT": str(port),
        "LONGHAND_DATA_DIR": str(settings.data_dir.absolute()),
        "LONGHAND_REDIS_URL": await _find_redis(settings, supervision, say),
        "PYTHONUNBUFFERED": "1",
    }
    # Loading what migrates takes seconds: yesterday's embedded database needs it only after an upgrade.
    if settings.database_url or not is_current(settings.data_dir.absolute() / "longhand.db"):
        await supervision.run(_longhand("migrate", "migrate", environment, stop_seconds=STOP_MARGIN_SECONDS))
    patience = settings.drain_seconds + STOP_MARGIN_SECONDS
    names = ["worker"] if settings.workers == 1 else [f"worker-{number + 1}" for number in range(settings.workers)]
    supervision.start(
        _longhand("web", "web", environment, stop_seconds=patience),
        *(_longhand(name, "worker", environment, stop_seconds=patience) for name in names),
    )
    address = get_address(settings.host, port)
    await wait_until_ready(address, say)
    say(OWN_NAME, f"Longhand is ready: {address} (Ctrl-C stops it)")


async def _find_redis(settings: Settings, supervision: Supervision, say: Say) -> str:
    """The address of the Redis that is set, of which it says what it may lose; else of one of our own."""
    if not settings.redis_url:
        return await _start_redis(settings.data_dir, supervision, say)
    redis: Redis
    async with Redis.from_url(settings.redis_url, decode_responses=True, socket_connect_timeout=2) as redis:
        for risk in await list_risks(redis):
            say(OWN_NAME, f"warning: {risk}")
    return settings.redis_url


async def _start_redis(data_folder: Path, supervision: Supervision, say: Say) -> str:
    """The address of a Redis of our own that answers."""
    redis = await prepare_redis(data_folder.absolute() / "redis")
    supervision.start(redis.command)
    await wait_for_redis(redis.url)
    say(OWN_NAME, f"Redis: {redis.kind}, data in {data_folder}/redis")
    return redis.url


def _longhand(name: str, command: str, environment: Mapping[str, str], *, stop_seconds: float) -> ProcessCommand:
    return ProcessCommand(name, (sys.executable, "-m", "app.cli", command), environment, stop_seconds=stop_seconds)
