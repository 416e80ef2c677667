"""Many viewers in one process: raw sockets, and no more parsing than finding where a message ends.

`python -m bench.viewers_load ORDER_JSON` connects, says `ready`, and on a line from standard input prints what arrived;
then it waits for the server to stop, and prints how many viewers were told to come back.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from app.contract.cursors import parse_cursor
from bench.deliveries import Arrival, examine, head_of

CONNECTING_AT_ONCE = 20
PATIENCE_SECONDS = 60
"""How long what was written may take to arrive before it counts as lost."""
_MESSAGE_END = b"\n\n\r\n"
"""A message ends with an empty line, and a chunk of the response with CR LF: each is sent as one chunk."""
_BROWSER = (
    "Connection: keep-alive\r\n"
    'sec-ch-ua: "Chromium";v="142", "Not_A Brand";v="99"\r\n'
    "sec-ch-ua-mobile: ?0\r\n"
    'sec-ch-ua-platform: "Linux"\r\n'
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
    " Safari/537.36\r\n"
    "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n"
)
"""Headers that a browser sends besides, so that the server has to read them here too."""


class Viewer(asyncio.Protocol):
    """One open stream. Keeps each patch with the time at which its last byte came."""

    def __init__(self, request: bytes, connected: asyncio.Future[None], arrivals: list[Arrival]) -> None:
        self._request, self._connected, self._arrivals = request, connected, arrivals
        self._buffer = b""
        self._transport: asyncio.Transport
        self.cut = self.told = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

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
            elif message.find(b"event: closing") >= 0:
                self.told = True

    def leave(self) -> None:
        self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        self.cut = True
        if not self._connected.done():
            self._connected.set_exception(error or ConnectionError(self._buffer[:300].decode(errors="replace")))


class Crowd:
    """All viewers of one process."""

    def __init__(self, port: int, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self.viewers: list[Viewer] = []
        self.arrivals: list[tuple[str, list[Arrival]]] = []

    def has_all(self, newest: dict[str, tuple[int, int]]) -> bool:
        """Return whether every viewer has come to the newest cursor of its run."""
        return all(parse_cursor(head_of(got[-1][1])) >= newest[run_id] for run_id, got in self.arrivals)

    async def add(self, run_id: str) -> Viewer:
        """Add one viewer; return when it has caught up."""
        request = (
            f"GET /runs/{run_id}/live?view=post&after=0-0 HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"{_BROWSER}Cookie: {self._cookie}\r\nAccept: text/event-stream\r\n\r\n"
        ).encode()
        loop = asyncio.get_running_loop()
        connected: asyncio.Future[None] = loop.create_future()
        arrivals: list[Arrival] = []
        viewer = Viewer(request, connected, arrivals)
        await loop.create_connection(lambda: viewer, "127.0.0.1", self._port)
        await connected
        self.viewers.append(viewer)
        self.arrivals.append((run_id, arrivals))
        return viewer


async def come(crowd: Crowd, run_ids: Sequence[str], viewers: int) -> None:
    """Connect so many viewers, spread over the runs."""
    room = asyncio.Semaphore(CONNECTING_AT_ONCE)

    async def add(run_id: str) -> None:
        async with room:
            await crowd.add(run_id)

    await asyncio.gather(*(add(run_ids[number % len(run_ids)]) for number in range(viewers)))


async def come_and_go(crowd: Crowd, run_ids: Sequence[str]) -> None:
    """Connect and close one viewer for each run, one after the other."""
    for run_id in run_ids:
        (await crowd.add(run_id)).leave()


async def watch(crowd: Crowd, file: Path) -> dict[str, Any]:
    """Watch until a line comes from standard input and all has arrived; return what did."""
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    written: dict[str, list[str]] = json.loads(file.read_text())
    newest = {run_id: parse_cursor(pieces[-1]) for run_id, pieces in written.items()}
    await _until(lambda: crowd.has_all(newest))
    return {**examine(crowd.arrivals, written), "cut": sum(viewer.cut for viewer in crowd.viewers)}


async def _until(true: Callable[[], bool]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not true():
                await asyncio.sleep(0.1)


async def follow(order: dict[str, Any]) -> None:
    crowd = Crowd(order["port"], order["cookie"])
    if not order["viewers"]:
        await come_and_go(crowd, order["runs"])
        print("ready", flush=True)
        return
    await come(crowd, order["runs"], order["viewers"])
    print(json.dumps(await watch(crowd, Path(order["file"]))), flush=True)
    await _until(lambda: all(viewer.cut for viewer in crowd.viewers))
    print(sum(viewer.told for viewer in crowd.viewers), flush=True)


def main() -> None:
    import uvloop

    uvloop.run(follow(json.loads(sys.argv[1])))


if __name__ == "__main__":
    main()
