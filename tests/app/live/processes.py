"""Web processes of the small application, to be stopped, killed and started again at the same address."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app.launcher.embedded_redis import find_free_port
from app.live.hub import PING_SECONDS

ROOT = Path(__file__).parents[3]

PATIENCE = 90
"""Seconds that a process may take to start on a machine that runs all tests at once."""


class WebProcess:
    """One address, and the process that serves it now."""

    def __init__(self, redis_url: str, database_url: str, ping_seconds: float = PING_SECONDS) -> None:
        self.port = find_free_port("127.0.0.1")
        self.url = f"http://127.0.0.1:{self.port}"
        self._arguments = [str(self.port), redis_url, database_url, str(ping_seconds)]
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.app.live.serving", *self._arguments, cwd=ROOT
        )
        await wait_for_port(self.port)

    async def kill(self) -> None:
        await self._end(signal.SIGKILL)

    async def stop(self) -> int:
        """SIGTERM; gives the exit code."""
        return await self._end(signal.SIGTERM)

    async def _end(self, number: signal.Signals) -> int:
        if self._process is None:
            return 0
        self._process.send_signal(number)
        code = await self._process.wait()
        self._process = None
        return code


async def wait_for_port(port: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


@asynccontextmanager
async def running_web(
    redis_url: str, database_url: str, ping_seconds: float = PING_SECONDS
) -> AsyncIterator[WebProcess]:
    web = WebProcess(redis_url, database_url, ping_seconds)
    await web.start()
    try:
        yield web
    finally:
        await web.kill()
