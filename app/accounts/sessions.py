"""The browser's session cookie: 256 random bits that a page gives and that only their digest is kept of."""

from __future__ import annotations

import hashlib
import re
import secrets

from litestar.datastructures import Cookie

COOKIE = "longhand_session"
KEEP_SECONDS = 400 * 86_400
"""As long as browsers keep any cookie."""

_FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_session() -> str:
    """A cookie value: 256 random bits in base64url."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What is kept of a session or a token. They are random and long, so that one round of SHA-256 is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_session(cookies: dict[str, str]) -> str | None:
    """The session of a request; None when there is none, or one that we never gave."""
    value = cookies.get(COOKIE, "")
    return value if _FORM.fullmatch(value) else None


def session_cookie(value: str, scheme: str) -> Cookie:
    """The cookie as it is set: no script reads it, no other site's form sends it."""
    return Cookie(
        key=COOKIE,
        value=value,
        path="/",
        httponly=True,
        samesite="lax",
        secure=scheme == "https",
        max_age=KEEP_SECONDS,
    )
