"""HEAD requests: the head of the response to the same GET.

Litestar looks for a handler of the method before it calls any middleware, so this wraps the whole application.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope


class _HeadSent(BaseException):
    """Leaves the application once the head is sent. It is no `Exception`, so that nothing inside handles it."""


def is_head(scope: Any) -> bool:
    """Return whether an ASGI call is a HEAD request."""
    return bool(scope["type"] == "http" and scope["method"] == "HEAD")


async def answer_head(app: Callable[..., Awaitable[None]], scope: Any, receive: Any, send: Any) -> None:
    """Respond to a HEAD as `app` does to a GET, and leave `app` after the head, so that no stream begins."""

    async def send_head(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.start":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            raise _HeadSent

    with suppress(_HeadSent):
        await app({**scope, "method": "GET"}, receive, send_head)


async def allow_head(message: Message, _scope: Scope) -> None:
    """Add HEAD to an `Allow` header that has GET (a `before_send` hook)."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    allowed = [method.strip() for method in headers.get("allow", "").split(",")]
    if "GET" in allowed and "HEAD" not in allowed:
        headers["allow"] = ", ".join(sorted([*allowed, "HEAD"]))
