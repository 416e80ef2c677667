"""A proxy in front of a web process that a test can tell to misbehave towards streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Literal

Mood = Literal["pass", "502", "503", "200 html", "204"]

_ANSWERS = {
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<h1>Bad gateway</h1>",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>Busy</h1>\n",
    "200 html": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<h1>Please log in</h1>",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
}


class Proxy:
    """Passes requests on, one a connection. Streams it answers by its `mood`, and may `cut`."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._streams: set[asyncio.StreamWriter] = set()
        self.mood: Mood = "pass"
        self.url = ""
        self.refused = 0
        self.opened = 0

    @property
    def streams(self) -> int:
        return len(self._streams)

    def cut(self) -> None:
        """Break off every stream."""
        for writer in self._streams:
            writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            is_stream = b"/live?" in head.partition(b"\r\n")[0]
            if is_stream and self.mood != "pass":
                self.refused += 1
                writer.write(_ANSWERS[self.mood].replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
                await writer.drain()
            else:
                await self._pass(head, reader, writer, is_stream)
        writer.close()

    async def _pass(
        self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_stream: bool
    ) -> None:
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        up_writer.write(b"\r\n".join([lines[0], b"Connection: close", *lines[1:]]))
        if is_stream:
            self._streams.add(writer)
            self.opened += 1
        gone = asyncio.create_task(_wait_for_end(reader, up_writer))
        try:
            while chunk := await up_reader.read(65536):
                writer.write(chunk)
                await writer.drain()
        finally:
            self._streams.discard(writer)
            gone.cancel()
            up_writer.close()


async def _wait_for_end(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
    """A browser that closes its side is passed on."""
    with suppress(OSError):
        await reader.read()
    upstream.transport.abort()


@asynccontextmanager
async def running_proxy(upstream: int) -> AsyncIterator[Proxy]:
    proxy = Proxy(upstream)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        proxy.cut()
        server.close()
