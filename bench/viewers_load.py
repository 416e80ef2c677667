"""Many viewers in one process: raw sockets, and no more parsing than finding where a message ends.

`python -m bench.viewers_load ORDER_JSON` connects, says `ready`, and on a line from standard input prints what arrived.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from app.contract.cursors import parse_cursor
from bench.deliveries import Arrival, examine, head_of

CONNECTING_AT_ONCE = 100
PATIENCE_SECONDS = 60
"""How long what was written may take to arrive before it counts as lost."""
_MESSAGE_END = b"\n\n\r\n"
"""A message ends with an empty line, and a chunk of the response with CR LF: each is sent as one chunk."""


class Viewer(asyncio.Protocol):
    """One open stream. Keeps each patch with the time at which its last byte came."""

    def __init__(self, request: bytes, connected: asyncio.Future[None], arrivals: list[Arrival]) -> None:
        self._request, self._connected, self._arrivals = request, connected, arrivals
        self._buffer = b""
        self.cut = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._request)

    def data_received(self, data: bytes) -> None:
        moment = time.time()
        self._buffer += data
        if not self._buffer.endswith(_MESSAGE_END) and _MESSAGE_END not in data:
            return
        *messages, self._buffer = self._buffer.split(_MESSAGE_END)
        for message in messages:
            at = message.find(b"id: ")
            if at >= 0 and b"data: " in message[at : at + 60]:
                self._arrivals.append((moment, message[at:]))
                if not self._connected.done():
                    self._connected.set_result(None)

    def connection_lost(self, error: Exception | None) -> None:
        self.cut = True
        if not self._connected.done():
            self._connected.set_exception(error or ConnectionError(self._buffer[:300].decode(errors="replace")))


class Crowd:
    """All viewers of one process."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._room = asyncio.Semaphore(CONNECTING_AT_ONCE)
        self.viewers: list[Viewer] = []
        self.arrivals: list[tuple[str, list[Arrival]]] = []

    def has_all(self, newest: dict[str, tuple[int, int]]) -> bool:
        """Whether every viewer has come to the newest cursor of its run."""
        return all(parse_cursor(head_of(got[-1][1])) >= newest[run_id] for run_id, got in self.arrivals)

    async def add(self, run_id: str) -> None:
        """One viewer more; returns when it has caught up."""
        request = (
            f"GET /runs/{run_id}/live?view=post&after=0-0 HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Cookie: {self._cookie}\r\nAccept: text/event-stream\r\n\r\n"
        ).encode()
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[None] = loop.create_future()
        arrivals: list[Arrival] = []
        viewer = Viewer(request, connected, arrivals)
        async with self._room:
            await loop.create_connection(lambda: viewer, "127.0.0.1", self._port)
            await connected
        self.viewers.append(viewer)
        self.arrivals.append((run_id, arrivals))


async def watch(port: int, cookie: str, run_ids: Sequence[str], viewers: int, file: Path) -> Crowd:
    """Connect, spread over the runs, and watch until a line comes from standard input and all has arrived."""
    crowd = Crowd(port, cookie)
    await asyncio.gather(*(crowd.add(run_ids[number % len(run_ids)]) for number in range(viewers)))
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    written: dict[str, list[str]] = json.loads(file.read_text())
    newest = {run_id: parse_cursor(pieces[-1]) for run_id, pieces in written.items()}
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not crowd.has_all(newest):
                await asyncio.sleep(0.1)
    return crowd


def main() -> None:
    import uvloop

    order: dict[str, Any] = json.loads(sys.argv[1])
    crowd = uvloop.run(watch(order["port"], order["cookie"], order["runs"], order["viewers"], Path(order["file"])))
    written: dict[str, list[str]] = json.loads(Path(order["file"]).read_text())
    found = examine(crowd.arrivals, written)
    print(json.dumps({**found, "cut": sum(viewer.cut for viewer in crowd.viewers)}), flush=True)


if __name__ == "__main__":
    main()
