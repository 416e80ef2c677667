"""The Redis programs that the store suite runs on, and a server whose data survives a `kill -9`."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis

from app.launcher.embedded_redis import HOST, find_free_port
from app.launcher.redis_programs import choose_program, find_programs
from tests.support.redis_server import RedisServer


def find_servers() -> dict[str, Path]:
    """Return the programs by name: the one that `longhand up` installs and, if there is one, a `redis-server`."""
    programs = asyncio.run(find_programs())
    found = {"embedded": choose_program(programs, None, Path()).path}
    on_path = shutil.which("redis-server")
    if on_path and any(program.path == Path(on_path) for program in programs):
        found["redis"] = Path(on_path)
    return found


@contextmanager
def running_program(program: Path, folder: Path) -> Iterator[RedisServer]:
    """Run a server of this program that persists nothing."""
    server = RedisServer(program, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()


class DurableRedis(RedisServer):
    """A server that has everything it acknowledged after a kill and a restart."""

    fsync = "always"

    def start(self) -> None:
        arguments = ["--bind", HOST, "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        arguments += ["--appendonly", "yes", "--appendfsync", self.fsync, "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen([self.program, *arguments], stdout=subprocess.DEVNULL, cwd=self.folder)
        self._wait()


class EverysecRedis(DurableRedis):
    """A server as `longhand up` starts it: what it acknowledged is on the disk within a second or two.

    Before it answers, it gives what it did to the kernel, so its own death loses nothing; unless the disk is just then
    being written to by the kernel: then the server keeps it for a moment (`settle` waits for that).
    """

    fsync = "everysec"

    def settle(self) -> int:
        """Wait until all is with the kernel, and return the length of the append-only file in bytes."""
        with Redis.from_url(self.url, decode_responses=True) as client:
            while client.info("persistence")["aof_buffer_length"]:
                pass
        return self._file().stat().st_size

    def cut(self, length: int) -> None:
        """Cut the append-only file at so many bytes while the server is down, as a loss of power does."""
        with self._file().open("r+b") as file:
            file.truncate(length)

    def _file(self) -> Path:
        (file,) = (self.folder / "appendonlydir").glob("*.incr.aof")
        return file


@contextmanager
def running_everysec(program: Path, folder: Path) -> Iterator[EverysecRedis]:
    server = EverysecRedis(program, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def running_durable(program: Path, folder: Path) -> Iterator[DurableRedis]:
    server = DurableRedis(program, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()
