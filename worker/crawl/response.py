"""Responses: their status, content type and body, read within limits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

import httpx2

from app.content import urls
from worker.crawl.errors import AddressRefused, ErrorPage, NotHtml, TooLarge


@dataclass(frozen=True)
class FetchLimits:
    """Bounds of a fetch.

    `types` are the accepted content types (empty: all). `max_bytes` is for the decompressed body, and for the body on
    the wire. `truncate`: return the beginning of a larger body instead of raising `TooLarge`.
    """

    types: frozenset[str] = frozenset()
    max_bytes: int = 5_000_000
    truncate: bool = False


HTML_PAGE = FetchLimits(types=frozenset({"text/html", "application/xhtml+xml"}))


@dataclass(frozen=True)
class FetchResult:
    """A response with status 2xx. `url` is where redirects ended; `charset` is the header's, or empty."""

    url: str
    status: int
    content_type: str
    body: bytes
    charset: str


async def read_response(response: httpx2.Response, url: str, limits: FetchLimits) -> FetchResult | str:
    """Return the result of a response, or the address that it redirects to.

    Raise `ErrorPage`, `NotHtml`, `TooLarge`, or `AddressRefused` for a redirect to no web address.
    """
    status = response.status_code
    location = response.headers.get("location", "")
    if status in (301, 302, 303, 307, 308) and location:
        return _redirect_target(url, location)
    if not 200 <= status < 300:
        raise ErrorPage(url, status, _retry_after(response.headers.get("retry-after", "")))
    header = Message()
    header["content-type"] = response.headers.get("content-type", "")
    content_type = header.get_content_type() if header["content-type"] else ""
    if limits.types and content_type and content_type not in limits.types:
        raise NotHtml(url, content_type)
    body = await _read_body(response, url, limits)
    if limits.types and not content_type and not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise NotHtml(url, "")
    return FetchResult(url, status, content_type, body, header.get_content_charset("") or "")


async def _read_body(response: httpx2.Response, url: str, limits: FetchLimits) -> bytes:
    """Read up to the limit, counted on the wire and decompressed.

    The client decompresses in pieces of at most 1 MiB, so that a bomb is noticed after one piece too many.
    """
    declared = response.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limits.max_bytes and not limits.truncate:
        raise TooLarge(url, limits.max_bytes)
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limits.max_bytes or response.num_bytes_downloaded > limits.max_bytes:
            if not limits.truncate:
                raise TooLarge(url, limits.max_bytes)
            break
    return bytes(body[: limits.max_bytes])


def _redirect_target(url: str, location: str) -> str:
    try:
        return urls.join_address(url, location)
    except urls.AddressInvalid:
        raise AddressRefused(f"{url} redirects to something that is not a web address.", "malformed") from None


def _retry_after(value: str) -> float | None:
    """Return the seconds to wait, from a number or an HTTP date; None for anything else."""
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (when.replace(tzinfo=when.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
