"""robots.txt, as RFC 9309 has it, with one liberty.

- a file that does not exist (4xx, or a redirect to nowhere) allows all;
- a file that cannot be read now (5xx, 429, no answer) disallows all, for as long as it can't: pages found by crawling
  wait for it. The one page whose address a person typed is read all the same: one visit on someone's behalf is what a
  browser does, and refusing it would turn a broken robots.txt into "this site does not exist";
- a file that says no is obeyed for every page, the typed one too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protego import Protego

from app.content.urls import origin
from worker.crawl.errors import AddressRefused, CrawlError, ErrorPage, RobotsRefused, TooManyRedirects
from worker.crawl.fetch import Fetcher
from worker.crawl.response import FetchLimits

_LIMITS = FetchLimits(max_bytes=500 * 1024, truncate=True)


@dataclass(frozen=True)
class Robots:
    """A site's rules for automatic readers. `error` says why the file could not be read, else it is empty."""

    rules: Protego = field(default_factory=lambda: Protego.parse(""))
    error: str = ""

    def check(self, url: str, user_agent: str, typed: bool = False) -> None:
        """Raise `RobotsRefused` unless `url` may be read; `typed`: a person gave this very address."""
        if self.error and not typed:
            raise RobotsRefused(url, self.error)
        if not self.rules.can_fetch(url, user_agent):
            raise RobotsRefused(url)

    def allows(self, url: str, user_agent: str) -> bool:
        return not self.error and self.rules.can_fetch(url, user_agent)

    def crawl_delay(self, user_agent: str) -> float:
        """Return the seconds between requests that the site asks for; 0 when it asks for none."""
        return self.rules.crawl_delay(user_agent) or 0.0

    @property
    def sitemaps(self) -> list[str]:
        return list(self.rules.sitemaps)


def parse_robots(body: bytes) -> Robots:
    """Parse a robots.txt; what is wrong in it counts for nothing."""
    return Robots(Protego.parse(body.decode("utf-8-sig", "replace")))


async def read_robots(fetcher: Fetcher, url: str) -> Robots:
    """Read the robots.txt that is in force for `url`. A `CrawlError` becomes the result's `error`."""
    try:
        fetched = await fetcher.get(f"{origin(url)}/robots.txt", _LIMITS)
    except ErrorPage as failure:
        absent = 300 <= failure.status < 500 and failure.status != 429
        return Robots() if absent else Robots(error=failure.message)
    except (AddressRefused, TooManyRedirects):
        return Robots()
    except CrawlError as failure:
        return Robots(error=failure.message)
    return parse_robots(fetched.body)
