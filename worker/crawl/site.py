"""Reading a site: its home page first, then page by page, as its robots.txt asks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from pydantic import Field

from app.content.urls import host_port, is_same_site, origin
from app.content.values import FrozenModel, ReadPage
from worker.crawl.errors import LeftSite
from worker.crawl.extract import extract_page
from worker.crawl.fetch import Fetcher
from worker.crawl.frontier import choose_pages
from worker.crawl.robots import Robots, read_robots
from worker.crawl.scheme_fallback import HTTPS_SECONDS, open_with_fallback
from worker.crawl.sitemap import read_sitemaps

MAX_CANDIDATES = 500
_SITEMAP_SECONDS = 4.0
_KEPT_SECONDS = 3600.0
_UNREAD_SECONDS = 30.0
_KEPT_SITES = 256


class Landing(FrozenModel):
    """What the first look at a site gives. `candidates`: addresses to read next, the home page's links first, then the
    sitemap's; all of them may be read. `notes`: what a person should know about how the site lets itself be read.
    `plain`: the address that was opened instead of the one by https, else empty."""

    page: ReadPage
    candidates: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    plain: str = ""


@dataclass
class _Known:
    robots: Robots | None = None
    until: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SiteReader:
    """Reads any number of sites through one fetcher, which it closes. Each site's robots.txt is kept for an hour.

    Reading raises the errors of `worker.crawl.errors`; an error page never becomes a page. `patience` in seconds is for
    https to answer where http may be tried after it.
    """

    def __init__(
        self,
        allow: Collection[str] = frozenset(),
        fetcher: Fetcher | None = None,
        clock: Callable[[], float] = time.monotonic,
        patience: float = HTTPS_SECONDS,
    ) -> None:
        self._fetcher = fetcher or Fetcher(allow)
        self._clock = clock
        self._patience = patience
        self._known: dict[str, _Known] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._fetcher.__aexit__(kind, error, trace)

    async def home(self, url: str) -> Landing:
        """The page a person gave, wherever it redirects to, and what could be read after it.

        An address without a scheme is tried by https, and by http if https can't be connected to.
        """
        opened = await open_with_fallback(self._fetcher, url, self._check_typed, self._patience)
        page, robots = await asyncio.gather(extract_page(opened.fetched), self._robots(opened.fetched.url))
        notes = [opened.note] if opened.note else []
        if robots.unread:
            notes.append(f"Only this page is read for now, because robots.txt could not be: {robots.unread}")
        mapped = [] if robots.unread else await self._sitemap(page.url, robots)
        links = [link.url for link in page.links]
        agent = self._fetcher.user_agent
        candidates = choose_pages(page.url, [], links, mapped, MAX_CANDIDATES)
        allowed = [candidate for candidate in candidates if robots.allows(candidate, agent)]
        if len(allowed) < len(candidates) and not robots.unread:
            notes.append(
                f"robots.txt keeps {len(candidates) - len(allowed)} of {len(candidates)} pages from being read."
            )
        return Landing(page=page, candidates=allowed, notes=notes, plain=opened.plain)

    async def page(self, url: str) -> ReadPage:
        """One page of a site. One that redirects to another site is not read (`LeftSite`)."""

        async def check(hop: str) -> None:
            if not is_same_site(hop, url):
                raise LeftSite(url, hop)
            (await self._robots(hop)).check(hop, self._fetcher.user_agent)

        return await extract_page(await self._fetcher.get(url, check=check))

    async def _check_typed(self, hop: str) -> None:
        (await self._robots(hop)).check(hop, self._fetcher.user_agent, typed=True)

    async def _check_linked(self, hop: str) -> None:
        (await self._robots(hop)).check(hop, self._fetcher.user_agent)

    async def _sitemap(self, url: str, robots: Robots) -> list[str]:
        """A slow sitemap is done without: the profile waits for this."""
        try:
            async with asyncio.timeout(_SITEMAP_SECONDS):
                return await read_sitemaps(self._fetcher, url, robots.sitemaps, self._check_linked)
        except TimeoutError:
            return []

    async def _robots(self, url: str) -> Robots:
        known = self._entry(origin(url))
        async with known.lock:
            if known.robots is None or known.until <= self._clock():
                known.robots = await read_robots(self._fetcher, url)
                known.until = self._clock() + (_UNREAD_SECONDS if known.robots.unread else _KEPT_SECONDS)
                self._fetcher.pace.slow_down(host_port(url), known.robots.crawl_delay(self._fetcher.user_agent))
        return known.robots

    def _entry(self, site: str) -> _Known:
        if site not in self._known and len(self._known) >= _KEPT_SITES:
            now = self._clock()
            current = {name: known for name, known in self._known.items() if known.until > now}
            self._known = current if len(current) < _KEPT_SITES else {}
        return self._known.setdefault(site, _Known())
