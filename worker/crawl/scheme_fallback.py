"""Opening the first page of a site, by the scheme it has.

An address that was typed without a scheme is tried by https first and, where https can't be connected to, by http: what
browsers do. An address with a scheme is asked for by no other.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from app.content.urls import candidate_addresses
from worker.crawl.errors import CrawlError, FetchTimeout, NobodyAnswers, TlsFailed
from worker.crawl.fetch import Fetched, Fetcher, HopCheck

HTTPS_SECONDS = 10.0
"""How long https may take to answer before http is tried: longer than a slow site takes, and both fit into one try."""

_NOT_CONNECTED = (NobodyAnswers, TlsFailed, FetchTimeout)


@dataclass(frozen=True)
class Opened:
    """A first page. `plain` is the http address that was opened because https was not to be had, which `note` says."""

    fetched: Fetched
    plain: str = ""
    note: str = ""


async def open_with_fallback(fetcher: Fetcher, typed: str, check: HopCheck, patience: float = HTTPS_SECONDS) -> Opened:
    """Opens a typed address. `check` is asked before each hop, as in `Fetcher.get`; `patience` (seconds) is for https.

    Raises what went wrong by https if http can't be connected to either.
    """
    secure, *others = candidate_addresses(typed)
    if not others:
        return Opened(await fetcher.get(secure, check=check))
    first = _FirstHop(check)
    try:
        return Opened(await first.get(fetcher, secure, patience))
    except _NOT_CONNECTED as error:
        # Whoever answers and sends us on has been connected to: what is wrong is behind them.
        if first.left:
            raise
        failure = error
    try:
        fetched = await fetcher.get(others[0], check=check)
    except _NOT_CONNECTED:
        raise failure from None
    return Opened(fetched, others[0], f"Opened by plain http, because https was not to be had: {_reason(failure)}.")


class _FirstHop:
    """A fetch whose first hop is over after a while. `left`: it answered, and sent us on."""

    def __init__(self, check: HopCheck) -> None:
        self._check = check
        self._hops = 0

    @property
    def left(self) -> bool:
        return self._hops > 1

    async def get(self, fetcher: Fetcher, url: str, seconds: float) -> Fetched:
        try:
            async with asyncio.timeout(seconds) as limit:

                async def check(hop: str) -> None:
                    self._hops += 1
                    if self.left:
                        limit.reschedule(None)
                    await self._check(hop)

                return await fetcher.get(url, check=check)
        except TimeoutError:
            raise FetchTimeout(url, seconds) from None


def _reason(failure: CrawlError) -> str:
    match failure:
        case NobodyAnswers():
            return "nobody answers there"
        case FetchTimeout():
            return "it takes too long to answer"
        case _:
            return "no secure connection could be made"
