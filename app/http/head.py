"""HEAD: the head of what GET would answer with.

Litestar looks for a handler of the method before any of its middleware has a say, so this stands around all of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope


class _HeadSent(BaseException):
    """The answer's head is on its way, and nothing else is wanted. No `Exception`: nobody inside has to handle it."""


def is_head(scope: Any) -> bool:
    """Whether an ASGI call is a HEAD."""
    return bool(scope["type"] == "http" and scope["method"] == "HEAD")


async def answer_head(app: Callable[..., Awaitable[None]], scope: Any, receive: Any, send: Any) -> None:
    """Answer a HEAD as `app` would a GET, and leave it as soon as the head is there: no stream begins."""

    async def send_head(message: Message) -> None:
        await send(message)
        if message["type"] == "http.response.start":
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            raise _HeadSent

    with suppress(_HeadSent):
        await app({**scope, "method": "GET"}, receive, send_head)


async def allow_head(message: Message, _scope: Scope) -> None:
    """A `before_send` hook: what is said to allow GET allows HEAD."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    allowed = [method.strip() for method in headers.get("allow", "").split(",")]
    if "GET" in allowed and "HEAD" not in allowed:
        headers["allow"] = ", ".join(sorted([*allowed, "HEAD"]))
