"""Requests that another site's page makes in a person's browser: they may look, and change nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.accounts.authentication import READS

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class RefuseForeign(ASGIMiddleware):
    """Answers 403 to a state-changing request with a foreign `Origin` or `Sec-Fetch-Site: cross-site`.

    A client that sends neither header is no browser, and carries nobody's cookie by accident.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope)
        if request.method not in READS and is_foreign(request.headers):
            raise PermissionDeniedException("This request came from another site's page, so it was not carried out.")
        await next_app(scope, receive, send)


def is_foreign(headers: Headers) -> bool:
    """Whether a page of another origin sent this."""
    if headers.get("sec-fetch-site", "").strip().lower() == "cross-site":
        return True
    origin = headers.get("origin")
    return origin is not None and not _is_own(origin.strip().lower(), headers.get("host", "").strip().lower())


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The scheme is not compared: behind a proxy that ends TLS we see http where the browser sees https.
    default = _DEFAULT_PORTS.get(parts.scheme)
    return bool(host) and default is not None and parts.netloc.removesuffix(default) == host.removesuffix(default)
