"""`longhand up`: the whole product on one machine, as supervised processes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path

from redis.asyncio import Redis

from app.contract.settings import Settings
from app.launcher.embedded_redis import find_free_port, prepare_redis, wait_for_redis
from app.launcher.pid_locks import end_orphans, lock_data_folder
from app.launcher.process import OWN_NAME, ProcessCommand
from app.launcher.readiness import check_free, get_address, wait_until_ready
from app.launcher.signals import StopSignals
from app.launcher.supervision import Supervision
from app.launcher.terminal import PrintLine, Terminal
from app.stores.redis_risks import list_risks
from app.stores.schema_version import is_current

STOP_MARGIN_SECONDS = 10
"""The time to stop that a process gets in addition to that of its own drain."""


async def start_and_supervise(settings: Settings, print_line: PrintLine | None = None) -> None:
    """Start all processes and keep them running until SIGTERM or Ctrl-C; then stop them all.

    Raises:
        CannotStart: something that is needed is missing or in use. No process is left running.
    """
    print_line = print_line or Terminal()
    stopping = StopSignals()
    with lock_data_folder(settings.data_dir):
        stopping.listen()
        lock_folder = settings.data_dir.absolute() / "processes"
        supervision = Supervision(lock_folder, print_line)
        starting = asyncio.create_task(_start(settings, supervision, lock_folder, print_line))
        requested = asyncio.create_task(stopping.requested.wait())
        try:
            await asyncio.wait({starting, requested}, return_when=asyncio.FIRST_COMPLETED)
            if not requested.done():
                await starting
                await requested
            print_line(OWN_NAME, "stopping; press Ctrl-C again to hurry")
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await supervision.stop(stopping.hurry)
        print_line(OWN_NAME, "stopped")


async def _start(settings: Settings, supervision: Supervision, lock_folder: Path, print_line: PrintLine) -> None:
    await end_orphans(lock_folder)
    port = settings.port or find_free_port(settings.host)
    check_free(settings.host, port)
    environment = {
        "LONGHAND_HOST": settings.host,
        "LONGHAND_PORT": str(port),
        "LONGHAND_DATA_DIR": str(settings.data_dir.absolute()),
        "LONGHAND_REDIS_URL": await _find_redis(settings, supervision, print_line),
        "PYTHONUNBUFFERED": "1",
    }
    # Loading the migrations takes seconds, and the embedded database needs them only after an upgrade.
    if settings.database_url or not is_current(settings.data_dir.absolute() / "longhand.db"):
        await supervision.run(_longhand("migrate", "migrate", environment, stop_seconds=STOP_MARGIN_SECONDS))
    stop_seconds = settings.drain_seconds + STOP_MARGIN_SECONDS
    names = ["worker"] if settings.workers == 1 else [f"worker-{number + 1}" for number in range(settings.workers)]
    supervision.start(
        _longhand("web", "web", environment, stop_seconds=stop_seconds),
        *(_longhand(name, "worker", environment, stop_seconds=stop_seconds) for name in names),
    )
    address = get_address(settings.host, port)
    await wait_until_ready(address, print_line)
    print_line(OWN_NAME, f"Longhand is ready: {address} (Ctrl-C stops it)")


async def _find_redis(settings: Settings, supervision: Supervision, print_line: PrintLine) -> str:
    """Return the address of the configured Redis, and print what that may lose; else that of an embedded one."""
    if not settings.redis_url:
        return await _start_redis(settings.data_dir, supervision, print_line)
    redis: Redis
    async with Redis.from_url(settings.redis_url, decode_responses=True, socket_connect_timeout=2) as redis:
        for risk in await list_risks(redis):
            print_line(OWN_NAME, f"warning: {risk}")
    return settings.redis_url


async def _start_redis(data_folder: Path, supervision: Supervision, print_line: PrintLine) -> str:
    """Start an embedded Redis, and return its address once it answers."""
    redis = await prepare_redis(data_folder.absolute() / "redis")
    supervision.start(redis.command)
    await wait_for_redis(redis.url)
    print_line(OWN_NAME, f"Redis: {redis.kind}, data in {data_folder}/redis")
    return redis.url


def _longhand(name: str, command: str, environment: Mapping[str, str], *, stop_seconds: float) -> ProcessCommand:
    return ProcessCommand(name, (sys.executable, "-m", "app.cli", command), environment, stop_seconds=stop_seconds)
