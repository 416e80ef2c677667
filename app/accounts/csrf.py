"""Protection against cross-site request forgery: requests from other sites' pages may read, and change nothing."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import PermissionDeniedException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Receive, Scope, Send

from app.accounts.authentication import SAFE_METHODS

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class RefuseCrossSite(ASGIMiddleware):
    """Answers 403 to a state-changing request with another site's `Origin` or with `Sec-Fetch-Site: cross-site`.

    A client that sends neither header is no browser, which might send a person's cookie unasked.
    """

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        request: Request[Any, Any, Any] = Request(scope)
        if request.method not in SAFE_METHODS and is_cross_site(request.headers):
            raise PermissionDeniedException("This request came from another site's page, so it was not carried out.")
        await next_app(scope, receive, send)


def is_cross_site(headers: Headers) -> bool:
    """Return whether a page of another origin sent the request."""
    if headers.get("sec-fetch-site", "").strip().lower() == "cross-site":
        return True
    origin = headers.get("origin")
    return origin is not None and not _is_own(origin.strip().lower(), headers.get("host", "").strip().lower())


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The scheme is not compared: behind a proxy that ends TLS, http arrives here where the browser sent https.
    default = _DEFAULT_PORTS.get(parts.scheme)
    return bool(host) and default is not None and parts.netloc.removesuffix(default) == host.removesuffix(default)
