"""Small sites on 127.0.0.1 that stand for the outside world.

`python -m tests.sites.server PORT [FOLDER]` serves the fixture company's site, or a folder, until it is stopped.
"""

from __future__ import annotations

import asyncio
import mimetypes
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import unquote

PAGES = Path(__file__).parent / "pages"
BROKEN_PATH = "/workshop-diary.html"
BROCHURE = b"%PDF-1.4\n1 0 obj << /Type /Catalog >> endobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"


@dataclass(frozen=True)
class CannedResponse:
    """The response to requests of a path. Without a `content-length` header, the body's length is sent."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Writes the response to a request whose request line and headers have been read."""


class DirectorySite:
    """Serves a folder over HTTP on an ephemeral port of 127.0.0.1, for as long as its context lasts.

    `requests` counts requests by path (without the query), `heads` has the last request of a path as it came,
    `connections` counts all accepted connections.
    """

    def __init__(self, root: Path, port: int = 0) -> None:
        self.requests: Counter[str] = Counter()
        self.heads: dict[str, str] = {}
        self.connections = 0
        self._root = root.resolve()
        self._port = port
        self._answers: dict[str, CannedResponse] = {}
        self._failing: dict[str, tuple[CannedResponse, float]] = {}
        self._handlers: dict[str, Handler] = {}
        self._held: dict[str, asyncio.Event] = {}
        self._delays: dict[str, float] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        return self._port

    @property
    def host_port(self) -> str:
        """Return `host:port` as it stands in `LONGHAND_CRAWL_ALLOW`."""
        return f"127.0.0.1:{self._port}"

    @property
    def url(self) -> str:
        """Return the site's address, without a slash at its end."""
        return f"http://{self.host_port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def answer(self, path: str, answer: CannedResponse) -> None:
        """Respond to all further requests of `path` with `answer`."""
        self._answers[path] = answer

    def fail(self, path: str, status: int = 503, times: float = float("inf"), **headers: str) -> None:
        """Fail the next `times` requests of `path`; headers by keyword, `retry_after="2"`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        body = f"<!doctype html><title>Error {status}</title><h1>Something went wrong here</h1>".encode()
        self._failing[path] = (CannedResponse(status, body, headers=named), times)

    def heal(self, path: str) -> None:
        """Undo what `fail`, `delay` and `hold` did to `path`."""
        self._failing.pop(path, None)
        self._delays.pop(path, None)
        if held := self._held.pop(path, None):
            held.set()

    def hold(self, path: str) -> asyncio.Event:
        """Delay requests of `path` until the returned event is set."""
        return self._held.setdefault(path, asyncio.Event())

    def delay(self, path: str, seconds: float) -> None:
        """Respond to `path` after so many seconds: for watching, not for tests to synchronise by."""
        self._delays[path] = seconds

    def handle(self, path: str, handler: Handler) -> None:
        """Let `handler` write the whole response to requests of `path`."""
        self._handlers[path] = handler

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self._serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return  # the client went away
        except asyncio.CancelledError:
            return  # only leaving the context cancels; the stream protocol would log it as an error
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target = head.split(" ", 2)[:2]
        path = unquote(target.partition("?")[0])
        self.requests[path] += 1
        self.heads[path] = head
        if held := self._held.get(path):
            await held.wait()
        await asyncio.sleep(self._delays.get(path, 0))
        if handler := self._handlers.get(path):
            await handler(reader, writer)
        else:
            await self._send(writer, self._answer_for(path), method)

    async def _send(self, writer: asyncio.StreamWriter, answer: CannedResponse, method: str) -> None:
        headers = {"content-length": str(len(answer.body)), "connection": "close", **answer.headers}
        if answer.content_type:
            headers["content-type"] = answer.content_type
        lines = [f"HTTP/1.1 {answer.status} Answer", *(f"{name}: {value}" for name, value in headers.items())]
        writer.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n")
        writer.write(b"" if method == "HEAD" else answer.body)
        await writer.drain()

    def _answer_for(self, path: str) -> CannedResponse:
        failing = self._failing.get(path)
        if failing and failing[1] > 0:
            self._failing[path] = (failing[0], failing[1] - 1)
            return failing[0]
        return self._answers.get(path) or self._file(path)

    def _file(self, path: str) -> CannedResponse:
        file = (self._root / path.lstrip("/")).resolve()
        if not file.is_relative_to(self._root):
            return CannedResponse(404, b"<!doctype html><title>Not found</title><h1>Not found</h1>")
        if file.is_dir():
            if not path.endswith("/"):
                return CannedResponse(301, headers={"location": f"{path}/"})
            file = file / "index.html"
        if not file.is_file():
            return CannedResponse(404, b"<!doctype html><title>Not found</title><h1>Not found</h1>")
        return CannedResponse(body=self._read(file), content_type=mimetypes.guess_type(file.name)[0] or "text/plain")

    def _read(self, file: Path) -> bytes:
        return file.read_bytes()


class FixtureSite(DirectorySite):
    """The site of Alder & Spoke, a bicycle workshop that does not exist.

    `/workshop-diary.html` is an error page (500), `/brochure.pdf` no HTML, `/bookings/` a JavaScript shell, and
    `/private/` is what robots.txt keeps readers from.
    """

    def __init__(self, port: int = 0) -> None:
        super().__init__(PAGES, port)
        self.answer("/brochure.pdf", CannedResponse(body=BROCHURE, content_type="application/pdf"))
        self.fail(BROKEN_PATH, 500)

    def _read(self, file: Path) -> bytes:
        body = super()._read(file)
        is_template = file.name in ("robots.txt", "sitemap.xml")
        return body.replace(b"{url}", self.url.encode()) if is_template else body


async def serve(port: int, root: Path | None) -> None:
    """Serve a folder, or the fixture company's site, until cancelled."""
    async with DirectorySite(root, port) if root else FixtureSite(port) as site:
        print(site.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    try:
        asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0, folder))
    except KeyboardInterrupt:
        sys.exit(0)
