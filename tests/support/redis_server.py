"""A Redis server for tests: the program that `longhand up` starts, with nothing stored on disk."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from app.launcher.embedded_redis import HOST, find_free_port
from app.launcher.redis_programs import choose_program, find_programs

READY_SECONDS = 20


@dataclass
class RedisServer:
    """A server process that a test may stop and start again on the same port."""

    program: Path
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://{HOST}:{self.port}/0"

    def start(self) -> None:
        """Start the server, empty, and wait until it answers."""
        arguments = ["--bind", HOST, "--port", str(self.port), "--save", "", "--appendonly", "no"]
        arguments += ["--dir", str(self.folder), "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen([self.program, *arguments], stdout=subprocess.DEVNULL, cwd=self.folder)
        self._wait()

    def kill(self) -> None:
        """Kill the server; its data is lost."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _wait(self) -> None:
        give_up = time.monotonic() + READY_SECONDS
        with Redis.from_url(self.url) as client:
            while True:
                try:
                    client.ping()
                    return
                except RedisError:
                    if time.monotonic() > give_up:
                        raise
                    time.sleep(0.01)


@contextmanager
def running_redis(folder: Path) -> Iterator[RedisServer]:
    """Run a server during the block."""
    program = choose_program(asyncio.run(find_programs()), None, folder)
    server = RedisServer(program.path, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()
