"""The Redis programs that the store suite runs on, and a server that keeps its data through a `kill -9`."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.processes.embedded_redis import HOST, find_free_port
from app.processes.redis_programs import choose_program, find_programs
from tests.support.redis_server import RedisServer


def find_servers() -> dict[str, Path]:
    """The programs by name: the one that `longhand up` brings and, where the machine has it, a `redis-server`."""
    programs = asyncio.run(find_programs())
    found = {"embedded": choose_program(programs, None, Path()).path}
    on_path = shutil.which("redis-server")
    if on_path and any(program.path == Path(on_path) for program in programs):
        found["redis"] = Path(on_path)
    return found


@contextmanager
def running_program(program: Path, folder: Path) -> Iterator[RedisServer]:
    """A server of this program that keeps nothing."""
    server = RedisServer(program, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()


class DurableRedis(RedisServer):
    """A server that has, killed and started again, all that it ever answered for."""

    def start(self) -> None:
        arguments = ["--bind", HOST, "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        arguments += ["--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen([self.program, *arguments], stdout=subprocess.DEVNULL, cwd=self.folder)
        self._wait()


@contextmanager
def running_durable(program: Path, folder: Path) -> Iterator[DurableRedis]:
    server = DurableRedis(program, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()
