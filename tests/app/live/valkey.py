"""A real Valkey on a port of its own, that a test may kill, empty and start again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.launcher.embedded_redis import find_free_port, wait_for_redis
from app.launcher.redis_programs import find_programs


class Valkey:
    """One server; what it held is gone after `kill`, unless nothing was lost."""

    def __init__(self, program: Path, folder: Path) -> None:
        self._program, self._folder = program, folder
        self._port = find_free_port("127.0.0.1")
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        arguments = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"]
        self._process = await asyncio.create_subprocess_exec(
            str(self._program), *arguments, cwd=self._folder, stdout=asyncio.subprocess.DEVNULL
        )
        await wait_for_redis(self.url)

    async def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None


@asynccontextmanager
async def running_valkey(folder: Path) -> AsyncIterator[Valkey]:
    server = Valkey((await find_programs())[0].path, folder)
    await server.start()
    try:
        yield server
    finally:
        await server.kill()
