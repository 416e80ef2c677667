"""One open stream: where its page stands in a run's log, and the way there."""

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
    """What a viewer follows: the part of `app.live.channel.Channel` that it needs."""

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
    """A position in a log, and the connection of the page that stands there.

    It holds no queue: what is sent next is everything after its position. While the connection takes nothing more, it
    is left alone, and then gets all it has missed in one message. Sending does not wake its coroutine, which waits for
    the page to go away: whoever has news writes it to the connection, for one viewer after the other.
    """

    __slots__ = ("_cursor", "_last", "_resets", "_send", "_sending", "_source", "_task")

    def __init__(self, source: PatchSource, cursor: str, resets: int) -> None:
        self._source, self._cursor, self._resets = source, cursor, resets
        self._send: Send
        self._sending: asyncio.Task[None] | None = None
        self._task: asyncio.Task[Any] | None = None
        self._last = False

    async def follow(self, receive: Receive, send: Send) -> None:
        """Stream by ASGI's `send`, after the response was started, until the end or until the page is gone."""
        self._send, self._task = send, asyncio.current_task()
        self._source.join(self)
        try:
            self._write(encode_opening())
            self.look()
            while (await receive())["type"] != "http.disconnect":
                pass
        finally:
            # Nothing is awaited: a stream that is cut off has no time for it.
            self._last = True
            self._source.leave(self)
            if self._sending is not None:
                self._sending.cancel()

    def look(self) -> None:
        """Send what the page lacks, if the connection takes it."""
        while self._sending is None and not self._last:
            body = self._next()
            if body is None:
                return
            self._write(body)

    def ping(self) -> None:
        """Say that the connection lives, unless there is something under way that says it too."""
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
                # It could not be rendered. A run that goes on brings another frame; one that has ended does not.
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
            rest = begin(self._send({"type": "http.response.body", "body": body, "more_body": not self._last}))
        except Exception as error:
            self._fail(error)
        else:
            if rest is not None:
                self._sending = asyncio.ensure_future(rest)
                self._sending.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._sending = None
        if task.cancelled():
            return
        if error := task.exception():
            self._fail(error)
        else:
            self.look()

    def _fail(self, error: BaseException) -> None:
        """The connection is of no use any more: the stream ends, and the page will come back where it was."""
        self._last = True
        if not isinstance(error, OSError):
            _logger.error("a stream could not be written to", exc_info=error)
        if self._task is not None:
            self._task.cancel()


def begin(awaitable: Awaitable[None]) -> Awaitable[None] | None:
    """Run up to where it first has to wait; gives what remains to be awaited, None when nothing does.

    Most writes to a socket wait for nothing: they need no task, and no turn of the event loop for each.
    """
    steps = awaitable.__await__()
    try:
        waiting = next(steps)
    except StopIteration:
        return None
    return _go_on(steps, waiting)


@coroutine
def _go_on(steps: Generator[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:
    while True:
        try:
            step = partial(steps.send, (yield waiting))
        except BaseException as error:
            step = partial(steps.throw, error)
        try:
            waiting = step()
        except StopIteration:
            return
