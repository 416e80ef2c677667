"""The web application behind a real server on loopback, in the test's own event loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from litestar import Litestar

from app.main import closers


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the test runner."""
        yield


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[str]:
    """Yield the address at which the application answers during the block. Its streams end with the block."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        config = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=5, lifespan="on")
        server = _Server(config)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            while not server.started and not task.done():
                await asyncio.sleep(0.005)
            if task.done():
                await task
            yield f"http://127.0.0.1:{port}"
        finally:
            for close in closers(app.state):
                close()
            server.should_exit = True
            await task
