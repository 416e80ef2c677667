"""A site: its home page, then its other pages one by one, as its robots.txt asks."""

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
from worker.crawl.extract import extract_in_thread
from worker.crawl.fetch import Fetcher
from worker.crawl.frontier import choose_pages
from worker.crawl.robots import Robots, read_robots
from worker.crawl.scheme_fallback import HTTPS_SECONDS, open_with_fallback
from worker.crawl.sitemap import read_sitemaps

MAX_CANDIDATES = 500
_SITEMAP_SECONDS = 4.0
_CACHE_SECONDS = 3600.0
_RETRY_SECONDS = 30.0
"""How long a robots.txt that could not be read is not asked for again."""
_MAX_SITES = 256


class HomePage(FrozenModel):
    """A site's first page, and what could be read after it.

    `candidates` are addresses that may be read: the page's links first, then the sitemap's. `notes` tell a person how
    the site lets itself be read. `plain` is the http address that was opened in place of the one by https, else empty.
    """

    page: ReadPage
    candidates: list[str] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    plain: str = ""


@dataclass
class _CachedRobots:
    robots: Robots | None = None
    expires_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class SiteReader:
    """Reads pages of any number of sites through one fetcher, which it closes. Caches each robots.txt for an hour.

    Reading raises the errors of `worker.crawl.errors`; an error page never becomes a page. `https_seconds` is how long
    https may take to answer where http may be tried after it.
    """

    def __init__(
        self,
        allow: Collection[str] = frozenset(),
        fetcher: Fetcher | None = None,
        clock: Callable[[], float] = time.monotonic,
        https_seconds: float = HTTPS_SECONDS,
    ) -> None:
        self._fetcher = fetcher or Fetcher(allow)
        self._clock = clock
        self._https_seconds = https_seconds
        self._robots_by_origin: dict[str, _CachedRobots] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._fetcher.__aexit__(kind, error, trace)

    async def read_home(self, url: str) -> HomePage:
        """Read the page at the address that a person gave, wherever it redirects to.

        An address without a scheme is tried by https, and by http if https can't be connected to.
        """
        first = await open_with_fallback(self._fetcher, url, self._check_typed, self._https_seconds)
        page, robots = await asyncio.gather(extract_in_thread(first.fetched), self._robots(first.fetched.url))
        notes = [first.note] if first.note else []
        if robots.error:
            notes.append(f"Only this page is read for now, because robots.txt could not be: {robots.error}")
        mapped = [] if robots.error else await self._sitemap(page.url, robots)
        links = [link.url for link in page.links]
        candidates = choose_pages(page.url, [], links, mapped, MAX_CANDIDATES)
        allowed = [candidate for candidate in candidates if robots.allows(candidate, self._fetcher.user_agent)]
        if len(allowed) < len(candidates) and not robots.error:
            notes.append(
                f"robots.txt keeps {len(candidates) - len(allowed)} of {len(candidates)} pages from being read."
            )
        return HomePage(page=page, candidates=allowed, notes=notes, plain=first.http_url)

    async def read_page(self, url: str) -> ReadPage:
        """Read one page of a site. Raise `LeftSite` if it redirects to another site."""

        async def check(hop: str) -> None:
            if not is_same_site(hop, url):
                raise LeftSite(url, hop)
            await self._check_found(hop)

        return await extract_in_thread(await self._fetcher.get(url, check=check))

    async def _check_typed(self, hop: str) -> None:
        (await self._robots(hop)).check(hop, self._fetcher.user_agent, typed=True)

    async def _check_found(self, hop: str) -> None:
        (await self._robots(hop)).check(hop, self._fetcher.user_agent)

    async def _sitemap(self, url: str, robots: Robots) -> list[str]:
        """Return the sitemap's addresses; none if it is slow, because the profile waits for them."""
        try:
            async with asyncio.timeout(_SITEMAP_SECONDS):
                return await read_sitemaps(self._fetcher, url, robots.sitemaps, self._check_found)
        except TimeoutError:
            return []

    async def _robots(self, url: str) -> Robots:
        cached = self._cached_robots(origin(url))
        async with cached.lock:
            if cached.robots is None or cached.expires_at <= self._clock():
                cached.robots = await read_robots(self._fetcher, url)
                cached.expires_at = self._clock() + (_RETRY_SECONDS if cached.robots.error else _CACHE_SECONDS)
                self._fetcher.throttle.set_gap(host_port(url), cached.robots.crawl_delay(self._fetcher.user_agent))
        return cached.robots

    def _cached_robots(self, site: str) -> _CachedRobots:
        entries = self._robots_by_origin
        if site not in entries and len(entries) >= _MAX_SITES:
            now = self._clock()
            current = {name: cached for name, cached in entries.items() if cached.expires_at > now}
            self._robots_by_origin = current if len(current) < _MAX_SITES else {}
        return self._robots_by_origin.setdefault(site, _CachedRobots())
