"""Fetching by HTTP: guarded, polite, and bounded in time, size and redirects."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Collection
from types import TracebackType
from typing import Self

import httpcore2
import httpx2

from app.content import urls
from worker.crawl.errors import (
    AddressRefused,
    ConnectionFailed,
    CrawlError,
    FetchTimeout,
    HostUnreachable,
    TlsFailed,
    TooManyRedirects,
)
from worker.crawl.guard import GuardedBackend, Resolver, resolve_host
from worker.crawl.politeness import HostThrottle
from worker.crawl.response import HTML_PAGE, FetchLimits, FetchResult, read_response
from worker.crawl.transport import GuardedTransport

USER_AGENT = "Longhand/0.1 (reads company sites for their writers)"
MAX_REDIRECTS = 5

HopCheck = Callable[[str], Awaitable[None]]
"""Called before each hop of a fetch with its address; an error that it raises ends the fetch."""


class Fetcher:
    """An HTTP client for pages of strangers.

    `timeout` (seconds) is for a whole fetch, redirects included, without the time that the throttle delays it.
    `backend` opens the connections that the guard has checked. Fetches share open connections and nothing else: no
    cookies, no proxies from the environment.
    """

    def __init__(
        self,
        allow: Collection[str] = frozenset(),
        user_agent: str = USER_AGENT,
        timeout: float = 20.0,
        throttle: HostThrottle | None = None,
        resolve: Resolver = resolve_host,
        tls: ssl.SSLContext | None = None,
        backend: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self.user_agent = user_agent
        self.throttle = throttle or HostThrottle()
        self._allow = frozenset(allow)
        self._timeout = timeout
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(GuardedBackend(self._allow, resolve, backend), tls),
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip, deflate", "Accept-Language": "en, *;q=0.5"},
            timeout=timeout,
            follow_redirects=False,
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def get(self, url: str, limits: FetchLimits = HTML_PAGE, check: HopCheck | None = None) -> FetchResult:
        """Fetch `url`, following redirects. Check every hop's address as a typed one, then by `check`.

        Raise the errors of `worker.crawl.errors`; `ErrorPage` for every status that is not 2xx.
        """
        left = self._timeout
        target = self._checked(url)
        for _ in range(MAX_REDIRECTS + 1):
            if check is not None:
                await check(target)
            async with self.throttle.slot(urls.host_port(target)):
                began = time.monotonic()
                result = await self._request(target, limits, left)
                left -= time.monotonic() - began
            if isinstance(result, FetchResult):
                return result
            target = self._checked(result)
        raise TooManyRedirects(url, MAX_REDIRECTS)

    def _checked(self, url: str) -> str:
        try:
            return urls.normalise_address(url, self._allow)
        except urls.AddressInvalid as refusal:
            raise AddressRefused(refusal.message, refusal.code) from None

    async def _request(self, url: str, limits: FetchLimits, seconds: float) -> FetchResult | str:
        """Send one request; return its result, or the address that it redirects to."""
        try:
            async with asyncio.timeout(max(seconds, 0.0)):
                # Cookies of an earlier answer would make one site's pages depend on another run's visit.
                self._client.cookies.clear()
                async with self._client.stream("GET", url, headers={"Accept": _accept(limits)}) as response:
                    return await read_response(response, url, limits)
        except (TimeoutError, httpcore2.TimeoutException, httpx2.TimeoutException):
            raise FetchTimeout(url, self._timeout) from None
        except CrawlError:
            raise
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise _connection_error(url, error) from error


def _accept(limits: FetchLimits) -> str:
    return ", ".join([*sorted(limits.types), "*/*;q=0.1"]) if limits.types else "*/*"


def _connection_error(url: str, error: Exception) -> CrawlError:
    host = urls.host_port(url)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return TlsFailed(host, cause.verify_message)
        if isinstance(cause, ssl.SSLError):
            return TlsFailed(host, cause.reason or "no common protocol")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, httpx2.DecodingError):
        return ConnectionFailed(host, "its answer is packed in a way that does not unpack")
    if isinstance(error, httpcore2.ConnectError):
        return HostUnreachable(host)
    return ConnectionFailed(host, "the connection broke while it answered")
