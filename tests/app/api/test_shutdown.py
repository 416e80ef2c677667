"""A web process of its own: a stream must not keep it from stopping."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx2

from app.contract.settings import Settings
from app.launcher.embedded_redis import HOST, find_free_port
from app.stores.fleet import Fleet
from tests.app.conftest import make_browser, start_echo
from tests.support.worker_player import ECHO, announce

ROOT = Path(__file__).parents[3]


async def answers(client: httpx2.AsyncClient, process: asyncio.subprocess.Process) -> None:
    """Wait until the process answers."""
    while process.returncode is None:
        try:
            await client.get("/healthz")
            return
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
    raise AssertionError("the process ended")


async def test_sigterm_ends_streams_and_the_process(settings: Settings, fleet: Fleet) -> None:
    port = find_free_port(HOST)
    environment = {
        **os.environ,
        "LONGHAND_PORT": str(port),
        "LONGHAND_DATA_DIR": str(settings.data_dir),
        "LONGHAND_REDIS_URL": settings.redis_url,
    }
    program = "from app.contract.settings import Settings; from app.launcher.web import serve; serve(Settings())"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, env=environment, cwd=ROOT)
    try:
        async with make_browser(f"http://{HOST}:{port}") as client:
            await answers(client, process)
            await announce(fleet, ECHO)
            run_id = await start_echo(client)
            headers = {"accept": "text/event-stream"}
            async with client.stream("GET", f"/api/runs/{run_id}/events", headers=headers) as stream:
                lines = stream.aiter_lines()
                while not (await anext(lines)).startswith("id:"):
                    pass
                process.send_signal(signal.SIGTERM)
                rest = [line async for line in lines]  # a cut connection would raise here
            assert any(line.startswith("data:") for line in rest)
            # uvicorn gives the signal on to the default handler when it is done.
            assert await process.wait() in (0, -signal.SIGTERM)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
