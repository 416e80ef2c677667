"""A proxy in front of a web process that a test can tell to misbehave towards streams."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Literal

_STREAM = re.compile(rb"/live\?|/events")

Mood = Literal["pass", "502", "503", "200 html", "204"]

_ANSWERS = {
    "502": b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 46\r\n\r\n"
    b"<title>502</title><h1>Bad gateway</h1>        ",
    "503": b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: 14\r\n\r\n<h1>Busy</h1>\n",
    "200 html": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 21\r\n\r\n<h1>Please log in</h1>",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
}


class Proxy:
    """Passes requests on, one a connection. Streams it answers by its `mood`, and may `cut` or `lose`.

    `silence` is how many seconds a stream may be silent before it is cut. `draw_fuse` gives for each new stream after
    how many bytes it is cut, wherever in a message that is; None: never.
    """

    def __init__(
        self, upstream: int, silence: float | None = None, draw_fuse: Callable[[], int | None] = lambda: None
    ) -> None:
        self._upstream = upstream
        self._silence = silence
        self._draw_fuse = draw_fuse
        self._streams: set[asyncio.StreamWriter] = set()
        self._lost: set[asyncio.StreamWriter] = set()
        self._handling: set[asyncio.Task[None]] = set()
        self.mood: Mood = "pass"
        self.url = ""
        self.refused = self.opened = self.cuts = 0

    @property
    def streams(self) -> int:
        return len(self._streams)

    def cut(self, share: float = 1) -> None:
        """Break off every stream, or this share of them, chosen at random."""
        for writer in random.sample(sorted(self._streams, key=id), math.ceil(share * len(self._streams))):
            self.cuts += 1
            writer.transport.abort()

    def lose(self) -> None:
        """Forget every stream, as a router does that was switched off: nothing comes any more, not even an end."""
        self._lost |= self._streams

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._handle(reader, writer))
        self._handling.add(task)
        task.add_done_callback(self._handling.discard)

    async def close(self) -> None:
        """Break off everything."""
        handling = list(self._handling)
        for task in handling:
            task.cancel()
        await asyncio.gather(*handling, return_exceptions=True)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            is_stream = _STREAM.search(head.partition(b"\r\n")[0]) is not None
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
        gone = asyncio.create_task(_pass_up(reader, up_writer))
        try:
            if is_stream:
                await self._stream(up_reader, writer, gone)
            else:
                while chunk := await up_reader.read(65536):
                    writer.write(chunk)
                    await writer.drain()
        finally:
            gone.cancel()
            up_writer.close()

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gone: asyncio.Task[None]
    ) -> None:
        self._streams.add(writer)
        self.opened += 1
        fuse = self._draw_fuse()
        try:
            while chunk := await asyncio.wait_for(reader.read(65536), self._silence):
                if fuse is not None and fuse < len(chunk):
                    writer.write(chunk[:fuse])
                    await writer.drain()
                    raise ConnectionAbortedError
                fuse = None if fuse is None else fuse - len(chunk)
                if writer not in self._lost:
                    writer.write(chunk)
                    await writer.drain()
            if writer in self._lost:
                await gone
        except (TimeoutError, ConnectionAbortedError):
            self.cuts += 1
            writer.close()
        finally:
            self._streams.discard(writer)
            self._lost.discard(writer)


async def _pass_up(reader: asyncio.StreamReader, upstream: asyncio.StreamWriter) -> None:
    """A form's body, and the browser's closing of its side, are passed on."""
    with suppress(OSError):
        while chunk := await reader.read(65536):
            upstream.write(chunk)
            await upstream.drain()
    upstream.transport.abort()


@asynccontextmanager
async def running_proxy(
    upstream: int, silence: float | None = None, draw_fuse: Callable[[], int | None] = lambda: None
) -> AsyncIterator[Proxy]:
    proxy = Proxy(upstream, silence, draw_fuse)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.close()
