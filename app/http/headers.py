"""Headers of every response."""

from __future__ import annotations

from litestar.datastructures import MutableScopeHeaders
from litestar.types import Message, Scope

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)
_SECURITY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
}


async def add_headers(message: Message, _scope: Scope) -> None:
    """Add the security headers, and forbid shared caches (a `before_send` hook, so that errors have them too)."""
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders.from_message(message)
    for name, value in _SECURITY.items():
        headers.setdefault(name, value)
    # Responses belong to one workspace: no cache between here and the browser may store them.
    headers.setdefault("cache-control", "private, no-cache")
