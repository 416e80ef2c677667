"""The embedded Redis, for when none is configured: a real server on loopback, with its data in the data folder."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from dataclasses import dataclass
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.launcher.errors import CannotStart
from app.launcher.process import ProcessCommand
from app.launcher.redis_programs import RedisKind, choose_program, find_programs

HOST = "127.0.0.1"
READY_SECONDS = 60
"""How long the server may take to start. Reading a large append-only file takes time."""
CHECK_SECONDS = 0.02
STOP_SECONDS = 20

CONFIGURATION = """\
# Written by `longhand up` at each start.
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir .
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
loglevel warning
always-show-logo no
"""


@dataclass(frozen=True)
class EmbeddedRedis:
    """A server that is set up: the command that runs it, and the address at which it will answer."""

    command: ProcessCommand
    kind: RedisKind
    url: str


async def prepare_redis(folder: Path) -> EmbeddedRedis:
    """Choose the server program and a free port, and write the configuration. The first password is used for good.

    Raises:
        NoUsableRedis: no program here can read the folder's data.
        CannotStart: a file of the folder cannot be read.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    written_by = _read_kind(folder)
    program = choose_program(await find_programs(), written_by, folder)
    _write_private(folder / "kind.json", program.kind.model_dump_json())
    password = _read_or_create_password(folder / "password")
    port = find_free_port(HOST)
    configuration = folder / "redis.conf"
    _write_private(configuration, CONFIGURATION.format(host=HOST, port=port, password=password))
    command = ProcessCommand(
        name="redis",
        arguments=(str(program.path), str(configuration.absolute())),
        folder=folder,
        stop_seconds=STOP_SECONDS,
        can_be_hurried=False,
        orphan_signal=signal.SIGTERM,  # it then writes its last data to disk
    )
    return EmbeddedRedis(command, program.kind, f"redis://:{password}@{HOST}:{port}/0")


async def wait_for_redis(url: str, seconds: float = READY_SECONDS) -> None:
    """Wait until the server answers, with its data read.

    Raises:
        CannotStart: it does not answer within `seconds`.
    """
    client: Redis = Redis.from_url(url, socket_connect_timeout=1, socket_timeout=5)
    last = "no answer"
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    await client.ping()
                    return
                except RedisError as error:  # refused, or still loading
                    last = str(error)
                await asyncio.sleep(CHECK_SECONDS)
    except TimeoutError:
        raise CannotStart(f"Redis did not answer within {seconds:g} s ({last}).") from None
    finally:
        await client.aclose()


def find_free_port(host: str) -> int:
    """Return a port on which no process listens at this moment."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _read_kind(folder: Path) -> RedisKind | None:
    path = folder / "kind.json"
    if not path.exists():
        return None
    try:
        return RedisKind.model_validate_json(path.read_text())
    except ValueError:
        raise CannotStart(f"{path} cannot be read: it should name who wrote the Redis data beside it.") from None


def _read_or_create_password(path: Path) -> str:
    if path.exists() and (password := path.read_text().strip()):
        return password
    password = secrets.token_urlsafe(32)
    _write_private(path, password)
    return password


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    new = path.with_suffix(path.suffix + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
