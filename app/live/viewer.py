"""One open stream: the cursor of its page, and the sending of what the page lacks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from types import coroutine
from typing import Any, Protocol

import structlog

from app.live.frame_cache import Frame
from app.live.sse import END, PING, encode_closing, encode_opening

Receive = Callable[[], Awaitable[Any]]
Send = Callable[[Any], Awaitable[None]]

_logger = structlog.get_logger(__name__)


class PatchSource(Protocol):
    """The part of `app.live.channel.Channel` that a viewer needs."""

    closing: bool
    resets: int

    @property
    def cursor(self) -> str: ...

    @property
    def ended(self) -> bool: ...

    def patch(self, after: str) -> Frame | None: ...

    def whole(self) -> Frame | None: ...

    def join(self, viewer: Viewer) -> None: ...

    def leave(self, viewer: Viewer) -> None: ...


class Viewer:
    """A page's cursor in a log, and the page's connection.

    There is no queue: all that comes after the cursor is sent next. A connection that accepts nothing more gets nothing
    until it does, and then one message with all it missed. Sending does not wake the viewer's coroutine, which waits
    for the page to disconnect: the channel writes to one viewer's connection after the other.
    """

    __slots__ = ("_cursor", "_last", "_resets", "_send", "_sending", "_source", "_task")

    def __init__(self, source: PatchSource, cursor: str, resets: int) -> None:
        self._source, self._cursor, self._resets = source, cursor, resets
        self._send: Send
        self._sending: asyncio.Task[None] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._last = False

    async def follow(self, receive: Receive, send: Send) -> None:
        """Stream by ASGI's `send`, after the response was started, until the end or until the page disconnects."""
        self._send, self._task = send, asyncio.current_task()
        self._source.join(self)
        try:
            self._write(encode_opening())
            self.catch_up()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            # Nothing is awaited: a stream that is cut off gets no more turns.
            self._last = True
            self._source.leave(self)
            if self._sending is not None:
                self._sending.cancel()

    def catch_up(self) -> None:
        """Send what the page lacks, as far as the connection accepts it."""
        while self._sending is None and not self._last:
            body = self._next()
            if body is None:
                return
            self._write(body)

    def ping(self) -> None:
        """Send a ping, unless something else is being sent."""
        if self._sending is None and not self._last:
            self._write(PING)

    def _next(self) -> bytes | None:
        source = self._source
        if source.closing:
            self._last = True
            return encode_closing()
        behind = self._resets != source.resets
        if behind or self._cursor != source.cursor:
            frame = source.whole() if behind else source.patch(self._cursor)
            if frame is None:
                # Rendering failed. A run that goes on brings another frame; one that has ended does not.
                return self._end() if source.ended else None
            self._cursor, self._resets = frame.cursor, source.resets
            if frame.body is not None:
                return frame.body
        return self._end() if source.ended else None

    def _end(self) -> bytes:
        self._last = True
        return END

    def _write(self, body: bytes) -> None:
        try:
            remaining = run_until_wait(
                self._send({"type": "http.response.body", "body": body, "more_body": not self._last})
            )
        except Exception as error:
            self._fail(error)
        else:
            if remaining is not None:
                self._sending = asyncio.ensure_future(remaining)
                self._sending.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending = None
        if task.cancelled():
            return
        if error := task.exception():
            self._fail(error)
        else:
            self.catch_up()

    def _fail(self, error: BaseException) -> None:
        """End the stream of a broken connection. The page reconnects with its cursor."""
        self._last = True
        if not isinstance(error, OSError):
            _logger.error("Could not write to a stream", exc_info=error)
        if self._task is not None:
            self._task.cancel()


def run_until_wait(awaitable: Awaitable[None]) -> Awaitable[None] | None:
    """Run up to the first wait; return what remains to be awaited, None if it ran to its end.

    Most writes to a socket wait for nothing: they then need no task, and no turn of the event loop each.
    """
    steps = awaitable.__await__()
    try:
        waiting = next(steps)
    except StopIteration:
        return None
    return _resume(steps, waiting)


@coroutine
def _resume(steps: Generator[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            step = partial(steps.send, (yield waiting))
        except BaseException as error:
            step = partial(steps.throw, error)
        try:
            waiting = step()
        except StopIteration:
            return
