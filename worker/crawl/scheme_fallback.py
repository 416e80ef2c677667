"""The scheme of an address that was typed without one: https first and, where https can't be connected to, http.

Browsers do so. An address with a scheme is fetched by that one only.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.content.urls import candidate_addresses
from worker.crawl.errors import CrawlError, FetchTimeout, HostUnreachable, TlsFailed
from worker.crawl.fetch import Fetcher, HopCheck
from worker.crawl.response import FetchResult

HTTPS_SECONDS = 10.0
"""How long https may take to answer before http is tried: longer than a slow site takes, and both fit into one try."""

_NOT_CONNECTED = (HostUnreachable, TlsFailed, FetchTimeout)


@dataclass(frozen=True)
class FirstPage:
    """The page at a typed address.

    `http_url` is the http address that was opened because https could not be connected to, and `note` tells a person
    so; both are empty otherwise.
    """

    fetched: FetchResult
    http_url: str = ""
    note: str = ""


async def open_with_fallback(
    fetcher: Fetcher, typed: str, check: HopCheck, https_seconds: float = HTTPS_SECONDS
) -> FirstPage:
    """Fetch the page at a typed address. `check` is called before each hop, as in `Fetcher.get`.

    Raise the error of https if http can't be connected to either.
    """
    https_url, *http_urls = candidate_addresses(typed)
    if not http_urls:
        return FirstPage(await fetcher.get(https_url, check=check))
    first_hop = _TimedFirstHop(check)
    try:
        return FirstPage(await first_hop.get(fetcher, https_url, https_seconds))
    except _NOT_CONNECTED as error:
        # A host that answered with a redirect has been connected to: the error is of another address.
        if first_hop.redirected:
            raise
        https_error = error
    try:
        fetched = await fetcher.get(http_urls[0], check=check)
    except _NOT_CONNECTED:
        raise https_error from None
    note = f"Opened by plain http, because https was not to be had: {_describe(https_error)}."
    return FirstPage(fetched, http_urls[0], note)


class _TimedFirstHop:
    """A fetch with a time limit for its first hop alone."""

    def __init__(self, check: HopCheck) -> None:
        self._check = check
        self._hops = 0

    @property
    def redirected(self) -> bool:
        return self._hops > 1

    async def get(self, fetcher: Fetcher, url: str, seconds: float) -> FetchResult:
        try:
            async with asyncio.timeout(seconds) as limit:

                async def check(hop: str) -> None:
                    self._hops += 1
                    if self.redirected:
                        limit.reschedule(None)
                    await self._check(hop)

                return await fetcher.get(url, check=check)
        except TimeoutError:
            raise FetchTimeout(url, seconds) from None


def _describe(error: CrawlError) -> str:
    match error:
        case HostUnreachable():
            return "nobody answers there"
        case FetchTimeout():
            return "it takes too long to answer"
        case _:
            return "no secure connection could be made"
