"""Streams that Litestar opens, and whose bodies bypass it.

The requester, routing, errors and headers are as for any other request. After the head of the response, Litestar's part
of the call returns, and frees its request, its hooks for each message, and the frames of its middleware: several KiB a
viewer, and a good part of the time of each delivery.
"""

from __future__ import annotations

from typing import Any, Final

from litestar import Litestar
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from app.http.head import answer_head, is_head
from app.live.viewer import Viewer

UNBUFFERED = {
    "cache-control": "no-cache, no-store",
    "x-accel-buffering": "no",  # nginx would hold frames back until its buffer is full
}
"""The headers of every response that is sent bit by bit."""
STREAM_HEADERS = {"content-type": "text/event-stream; charset=utf-8", **UNBUFFERED}
"""The headers of a stream of Server-Sent Events."""

_STREAM: Final = "longhand_stream"


class StreamResponse:
    """The response with which a handler opens a stream: the head now, the body after Litestar has returned."""

    def __init__(self, stream: Viewer, headers: dict[str, str]) -> None:
        self._stream = stream
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self._headers})
        scope["state"][_STREAM] = self._stream


class StreamingLitestar(Litestar):
    """Litestar with handlers that may return a `StreamResponse`, and with HEAD wherever there is GET."""

    async def __call__(
        self, scope: Scope | LifeSpanScope, receive: Receive | LifeSpanReceive, send: Send | LifeSpanSend
    ) -> None:
        if is_head(scope):
            await answer_head(super().__call__, scope, receive, send)
            return
        await super().__call__(scope, receive, send)
        if scope["type"] == "lifespan":
            return
        stream: Viewer | None = scope["state"].get(_STREAM)
        if stream is not None:
            _forget_request(scope)
            await stream.follow(receive, send)


def _forget_request(scope: Any) -> None:
    """Free what opening the stream needed: the server keeps the scope as long as the connection."""
    scope["state"].clear()
    scope["headers"].clear()
