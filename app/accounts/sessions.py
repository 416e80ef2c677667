"""The browser's session cookie: 256 random bits, of which only a digest is stored."""

from __future__ import annotations

import hashlib
import re
import secrets

from litestar.datastructures import Cookie

COOKIE = "longhand_session"
MAX_AGE_SECONDS = 400 * 86_400
"""The longest time for which browsers store a cookie."""

_FORM = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_session() -> str:
    """Return a new cookie value: 256 random bits in base64url."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return the digest under which a session or token is stored. One round of SHA-256 is enough for long random
    secrets."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_session(cookies: dict[str, str]) -> str | None:
    """Return the session of a request; None without one, or if its form is not that of `new_session`."""
    value = cookies.get(COOKIE, "")
    return value if _FORM.fullmatch(value) else None


def make_session_cookie(value: str, scheme: str) -> Cookie:
    """Return the cookie of a session: no script can read it, and no other site's form sends it."""
    return Cookie(
        key=COOKIE,
        value=value,
        path="/",
        httponly=True,
        samesite="lax",
        secure=scheme == "https",
        max_age=MAX_AGE_SECONDS,
    )
