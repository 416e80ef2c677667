"""A Redis server with an append-only file, as `longhand up` starts it: a kill and a new start leave it as it was."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.launcher.embedded_redis import HOST, find_free_port
from app.launcher.redis_programs import choose_program, find_programs
from tests.support.redis_server import RedisServer


@dataclass
class DurableRedis(RedisServer):
    """A server process with an append-only file."""

    def start(self) -> None:
        """Start the server with the data in its folder, and wait until it answers."""
        arguments = ["--bind", HOST, "--port", str(self.port), "--save", "", "--dir", str(self.folder)]
        arguments += ["--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen([self.program, *arguments], stdout=subprocess.DEVNULL, cwd=self.folder)
        self._wait()

    def lose(self) -> None:
        """Kill the server, and remove its data."""
        self.kill()
        shutil.rmtree(self.folder)
        self.folder.mkdir()


@contextmanager
def durable_redis(folder: Path) -> Iterator[DurableRedis]:
    """Run a server during the block, its data in this folder."""
    folder.mkdir(exist_ok=True)
    program = choose_program(asyncio.run(find_programs()), None, folder)
    server = DurableRedis(program.path, folder, find_free_port(HOST))
    server.start()
    try:
        yield server
    finally:
        server.kill()
