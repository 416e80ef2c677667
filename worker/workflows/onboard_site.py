"""`onboard-site`: a company's address becomes a profile, a knowledge base and topics to write about."""

from __future__ import annotations

from urllib.parse import urlsplit

from app.contract.content import (
    OnboardInput,
    PageDigest,
    Profile,
    ReadPage,
    SiteReading,
    SiteReport,
    Topic,
    Value,
)
from app.contract.settings import Settings
from worker.agents.author import Author
from worker.agents.passages import split_passages
from worker.crawl.frontier import choose_pages, page_key
from worker.crawl.site import Landing, SiteReader
from worker.knowledge import Knowledge
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

MOST_TEXT = 60_000
"""How many characters of the home page a profile is made from."""

MOST_LINKS = 300
PAGES_AT_ONCE = 3


class Reading(Value):
    """How reading the pages went."""

    read: int
    failed: int


@component(retry=Retry(3, exponential(0.5, cap=5)), timeout=60)
async def read_home(url: str) -> Landing:
    """Fetch the page that the person gave, and keep it like any other."""
    say(f"Opening {url}")
    landing = await resource(SiteReader).home(url)
    for note in landing.notes:
        say(note)
    say(f"Read “{landing.page.title}”, with {len(landing.page.links)} links to other pages of the site")
    return landing.model_copy(update={"page": shorten(landing.page), "candidates": landing.candidates[:MOST_LINKS]})


@component(retry=Retry(4, exponential(0.5, cap=20)), timeout=120)
async def profile_site(site_id: str, home: ReadPage, candidates: list[str]) -> SiteReading:
    """One author call: who is this, and what should be read next."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    reading = await author.profile_site(home, candidates)
    publish("profile", reading.profile)
    await resource(Knowledge).save_profile(site_id, reading.profile)
    return reading


@component(retry=Retry(3, exponential(0.5, cap=10)), timeout=120)
async def read_page(site_id: str, url: str) -> PageDigest:
    """One page: its text, notes and passages into SQL."""
    return await keep_page(site_id, await resource(SiteReader).page(url))


@component(retry=Retry(3, exponential(0.5, cap=10)), timeout=120)
async def note_home(site_id: str, page: ReadPage) -> PageDigest:
    """The home page's notes and passages into SQL."""
    return await keep_page(site_id, page)


async def keep_page(site_id: str, page: ReadPage) -> PageDigest:
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    notes = await author.take_notes(page)
    await resource(Knowledge).save_page(site_id, page, notes, split_passages(page))
    digest = PageDigest(url=page.url, title=page.title, summary=notes.summary, key_phrases=notes.key_phrases)
    publish("page", digest)
    return digest


@component
async def read_pages(site_id: str, home: ReadPage, urls: list[str]) -> Reading:
    """The home page and these pages, a few at a time. One that fails is a row with its reason."""
    total = len(urls) + 1
    done = 0
    progress(done, total)

    async def read(url: str | None) -> bool:
        nonlocal done
        if url is None:
            outcome = await note_home.key("home").label(address_path(home.url)).settled()(site_id, home)
        else:
            labelled = read_page.key(page_key(url)).label(address_path(url))
            outcome = await labelled.settled()(site_id, url)
            if isinstance(outcome, Failed):
                await resource(Knowledge).save_failure(site_id, url, outcome.error.message)
        done += 1
        progress(done, total)
        return not isinstance(outcome, Failed)

    results = await gather(*(read(url) for url in (None, *urls)), limit=PAGES_AT_ONCE)
    return Reading(read=sum(results), failed=len(results) - sum(results))


@component(retry=Retry(4, exponential(0.5, cap=20)), timeout=120)
async def suggest_topics(site_id: str, profile: Profile, reading: Reading) -> list[Topic]:
    """Topics that the pages have enough material for."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    topics = await author.suggest_topics(profile, await resource(Knowledge).digests(site_id))
    publish("topics", topics)
    await resource(Knowledge).save_topics(site_id, topics)
    return topics


@component
async def find_site(url: str) -> str:
    """The row that this run fills."""
    return await resource(Knowledge).onboarded_site()


@workflow("onboard-site", version="1", title="Read {url}")
async def onboard_site(request: OnboardInput) -> SiteReport:
    """Read a company's site: a profile within seconds, then its pages, then topics to write about."""
    site_id = await find_site.label("Get ready")(request.url)
    landing = await read_home.label("Open the home page")(request.url)
    reading = await profile_site.label("Make the profile")(site_id, landing.page, landing.candidates)
    urls = choose_pages(
        landing.page.url,
        reading.read_next,
        [link.url for link in landing.page.links],
        landing.candidates,
        limit=resource(Settings).crawl_max_pages - 1,
    )
    pages = await read_pages.label("Read the pages")(site_id, landing.page, urls)
    topics = await suggest_topics.label("Suggest topics")(site_id, reading.profile, pages)
    return SiteReport(
        site_id=site_id, profile=reading.profile, pages_read=pages.read, pages_failed=pages.failed, topics=topics
    )


def shorten(page: ReadPage) -> ReadPage:
    """The page with no more text and links than a step should remember."""
    blocks, room = [], MOST_TEXT
    for block in page.blocks:
        if room <= 0:
            break
        blocks.append(block.model_copy(update={"text": block.text[:room]}))
        room -= len(block.text)
    return page.model_copy(update={"blocks": blocks, "links": page.links[:MOST_LINKS]})


def address_path(url: str) -> str:
    """What people call a page: its address without the host."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
