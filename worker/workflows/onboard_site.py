"""The workflow `onboard-site`: makes a profile, a knowledge base and topics to write about from a company's address."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.content.values import (
    FrozenModel,
    OnboardInput,
    PageDigest,
    Profile,
    ReadPage,
    SiteReading,
    SiteReport,
    Topic,
)
from app.content.workflows import (
    ADDRESS,
    ONBOARD_SITE,
    PAGE,
    PROFILE,
    PROFILE_SITE,
    READ_HOME,
    READ_PAGES,
    SUGGEST_TOPICS,
    TOPICS,
)
from app.contract.settings import Settings
from worker.agents.author import Author
from worker.agents.passages import split_passages
from worker.crawl.frontier import choose_pages, page_key
from worker.crawl.site import HomePage, SiteReader
from worker.engine.site_knowledge import SiteKnowledge
from worker.runtime import (
    Failed,
    Retry,
    component,
    exponential,
    gather,
    progress,
    publish,
    resource,
    say,
    workflow,
)

HOME_CHARACTERS = 60_000
"""How many characters of the home page a profile is made from."""

HOME_LINKS = 300
"""How many links of the home page, and how many addresses of the sitemap, the step's result holds."""

PAGE_LINKS = 40
"""How many links of any other page the step's result holds."""

PAGES_AT_ONCE = 3


class Reading(FrozenModel):
    """How many pages were read, and how many failed."""

    read: int
    failed: int


@component(name=READ_HOME, retry=Retry(3, exponential(0.5, cap=5)), timeout=60)
async def read_home(site_id: str, url: str) -> HomePage:
    """Fetch the page that the person entered, and find addresses of other pages."""
    say(f"Opening {url}")
    landing = await resource(SiteReader).read_home(url)
    for note in landing.notes:
        say(note)
    if landing.plain:
        publish(ADDRESS, landing.plain)
        await resource(SiteKnowledge).save_address(site_id, landing.plain)
    say(f"Read “{landing.page.title}”, with {len(landing.page.links)} links to other pages of the site")
    return landing.model_copy(update={"page": shorten(landing.page), "candidates": landing.candidates[:HOME_LINKS]})


@component(name=PROFILE_SITE, retry=Retry(4, exponential(0.5, cap=20)), timeout=120)
async def profile_site(site_id: str, home: ReadPage, candidates: list[str]) -> SiteReading:
    """Have the author describe the company, and choose the pages to read first."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    reading = await author.profile_site(home, candidates)
    publish(PROFILE, reading.profile)
    await resource(SiteKnowledge).save_profile(site_id, reading.profile)
    return reading


@component(retry=Retry(3, exponential(0.5, cap=10)), timeout=120)
async def read_page(site_id: str, url: str, known: list[str]) -> list[str]:
    """Read one page, and save its notes and passages. Return the addresses it links to, without those in `known`."""
    page = await resource(SiteReader).read_page(url)
    await save_page(site_id, page)
    return choose_pages(page.url, [], [link.url for link in page.links], [], limit=PAGE_LINKS, seen=known)


@component(retry=Retry(3, exponential(0.5, cap=10)), timeout=120)
async def note_home(site_id: str, page: ReadPage) -> None:
    """Save the home page's notes and passages."""
    await save_page(site_id, page)


async def save_page(site_id: str, page: ReadPage) -> None:
    """Have the author take notes on the page, save them with its passages, and publish its digest."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    notes = await author.take_notes(page)
    await resource(SiteKnowledge).save_page(site_id, page, notes, split_passages(page))
    digest = PageDigest(url=page.url, title=page.title, summary=notes.summary, key_phrases=notes.key_phrases)
    publish(PAGE, digest)


@component(name=READ_PAGES)
async def read_pages(site_id: str, home: ReadPage, urls: list[str], limit: int) -> Reading:
    """Read these pages and then those they link to, a few at a time, up to `limit` besides the home page.

    A page that fails is saved as a row with the reason.
    """
    pages = Pages(site_id, home, urls, limit)
    progress(0, len(urls) + 1)
    await note_home.key("home").label(address_path(home.url)).settled()(site_id, home)
    while urls:
        urls = await pages.read(urls)
    return Reading(read=pages.done - pages.failed + 1, failed=pages.failed)


class Pages:
    """The pages of one site, read in waves: the pages of a wave are those that the wave before linked to.

    Each page's step has `first` as its input, and not all pages seen so far: one more page that a retry reads makes no
    other page's checkpoint a miss.
    """

    def __init__(self, site_id: str, home: ReadPage, first: list[str], limit: int) -> None:
        self._site_id = site_id
        self._home = home.url
        self._first = list(first)
        self._limit = limit
        self._seen: list[str] = []
        self.done = 0
        self.failed = 0

    async def read(self, urls: list[str]) -> list[str]:
        """Read one wave; return the next one."""
        self._seen += urls
        progress(self.done + 1, len(self._seen) + 1)
        found = await gather(*(self._read_one(url) for url in urls), limit=PAGES_AT_ONCE)
        links = [link for page in found for link in page]
        return choose_pages(self._home, [], links, [], limit=self._limit - len(self._seen), seen=self._seen)

    async def _read_one(self, url: str) -> list[str]:
        outcome = await read_page.key(page_key(url)).label(address_path(url)).settled()(self._site_id, url, self._first)
        if isinstance(outcome, Failed):
            await resource(SiteKnowledge).save_failure(self._site_id, url, outcome.error.message)
            self.failed += 1
        self.done += 1
        progress(self.done + 1, len(self._seen) + 1)
        return [] if isinstance(outcome, Failed) else outcome.value


@component(name=SUGGEST_TOPICS, retry=Retry(4, exponential(0.5, cap=20)), timeout=120)
async def suggest_topics(site_id: str, profile: Profile, reading: Reading) -> list[Topic]:
    """Have the author suggest topics that the pages have enough material for."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    topics = await author.suggest_topics(profile, await resource(SiteKnowledge).digests(site_id))
    publish(TOPICS, topics)
    await resource(SiteKnowledge).save_topics(site_id, topics)
    return topics


@component
async def find_site(url: str) -> str:
    """Return the id of the site that this run onboards."""
    return await resource(SiteKnowledge).onboarded_site()


@workflow(ONBOARD_SITE, version="1", title="Read {url}")
async def onboard_site(request: OnboardInput) -> SiteReport:
    """Read a company's site: a profile within seconds, then its pages, then topics to write about."""
    site_id = await find_site.label("Get ready")(request.url)
    landing = await read_home.label("Open the home page")(site_id, request.url)
    reading = await profile_site.label("Make the profile")(site_id, landing.page, landing.candidates)
    limit = resource(Settings).crawl_max_pages - 1
    links = [link.url for link in landing.page.links]
    urls = choose_pages(landing.page.url, reading.read_next, links, landing.candidates, limit=limit)
    pages = await read_pages.label("Read the pages")(site_id, landing.page, urls, limit)
    topics = await suggest_topics.label("Suggest topics")(site_id, reading.profile, pages)
    return SiteReport(
        site_id=site_id, profile=reading.profile, pages_read=pages.read, pages_failed=pages.failed, topics=topics
    )


def shorten(page: ReadPage) -> ReadPage:
    """Return the page with no more text and links than a step's result should hold."""
    blocks, room = [], HOME_CHARACTERS
    for block in page.blocks:
        if room <= 0:
            break
        blocks.append(block.model_copy(update={"text": block.text[:room]}))
        room -= len(block.text)
    return page.model_copy(update={"blocks": blocks, "links": page.links[:HOME_LINKS]})


def address_path(url: str) -> str:
    """Return the address without its host, as people name a page."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
