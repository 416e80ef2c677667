"""The workflow `write-post`: research, an outline, sections side by side, and the finished post with its sources."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from app.content.citations import cited_ids
from app.content.values import (
    FrozenModel,
    MissingSection,
    Outline,
    OutlineSection,
    Passage,
    Post,
    PostBrief,
    Profile,
    Section,
    Source,
)
from app.content.workflows import OUTLINE, OUTLINE_POST, SECTION, SOURCES, WRITE_POST, WRITE_SECTION
from worker.agents.author import Author
from worker.agents.checks import check_section
from worker.agents.citations import UnknownSource
from worker.engine.site_knowledge import SiteKnowledge
from worker.runtime import (
    TRANSIENT,
    Failed,
    Ok,
    Retry,
    ask,
    component,
    exponential,
    gather,
    guidance,
    pause,
    progress,
    publish,
    resource,
    say,
    stream,
    workflow,
)

PASSAGES_PER_SECTION = 7

FEWEST_PASSAGES = 3
"""A post from fewer passages would be little more than a quotation."""

POLL_SECONDS = 1.0


class NothingToWriteFrom(Exception):
    """The site's pages have too little on the topic."""

    transient = False


class Research(FrozenModel):
    """The material of a post."""

    profile: Profile
    passages: list[Passage]


def _is_worth_retrying(error: BaseException) -> bool:
    return TRANSIENT(error) or isinstance(error, UnknownSource)


AUTHOR_RETRY = Retry(4, exponential(0.5, cap=20), on=_is_worth_retrying)


@component(retry=Retry(3), timeout=30)
async def research(brief: PostBrief) -> Research:
    """Find the passages of the site's pages that fit the topic."""
    knowledge = resource(SiteKnowledge)
    profile = await knowledge.profile(brief.site_id)
    say(f"Looking through what was read of {profile.name}")
    passages = await find_passages(brief, knowledge)
    if len(passages) < FEWEST_PASSAGES:
        raise NothingToWriteFrom(
            "Too little of what was read of the site fits this topic. Choose one of the suggested topics, "
            "or retry when more of its pages were read."
        )
    pages = {passage.url for passage in passages}
    say(f"Found {len(passages)} passages on {len(pages)} page{'s' if len(pages) > 1 else ''}")
    return Research(profile=profile, passages=passages)


async def find_passages(brief: PostBrief, knowledge: SiteKnowledge) -> list[Passage]:
    """Return the passages on the topic. While the site is being read, wait until there are enough to choose from."""
    wanted = brief.length.sections * PASSAGES_PER_SECTION
    waiting = False
    while True:
        # First, so that pages that are read between the two queries count.
        reading = await knowledge.is_being_read(brief.site_id)
        passages = await knowledge.passages(brief.site_id, f"{brief.topic} {guidance()}", wanted)
        if len(passages) >= wanted // 2 or not reading:
            return passages
        if not waiting:
            say("The site is still being read: waiting for more on this topic")
            waiting = True
        progress(len(passages), wanted // 2)
        await pause(POLL_SECONDS)


@component(name=OUTLINE_POST, retry=AUTHOR_RETRY, timeout=180)
async def outline_post(brief: PostBrief, found: Research) -> Outline:
    """Have the author outline the post: what each section is about, and which passages it draws on."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    outline = await author.outline(brief, found.profile, found.passages, guidance())
    publish(OUTLINE, outline)
    return outline


@component(name=WRITE_SECTION, retry=AUTHOR_RETRY, timeout=300)
async def write_section(
    brief: PostBrief, profile: Profile, outline: Outline, section: OutlineSection, passages: list[Passage]
) -> Section:
    """Have the author write one section, stream its text, and check it against its sources."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    pieces: list[str] = []
    text = author.write_section(brief, profile, outline, section, passages, guidance())
    async with aclosing(text):  # type: ignore[type-var]  # authors are async generators
        async for piece in text:
            pieces.append(piece)
            stream(piece)
    markdown = "".join(pieces)
    checks = await asyncio.to_thread(check_section, markdown, passages, profile.language, [profile.name])
    written = Section(
        id=section.id, heading=section.heading, markdown=markdown, sources=cited_ids(markdown), checks=checks
    )
    publish(SECTION, written)
    return written


@component
async def assemble_post(
    outline: Outline, sections: list[Ok[Section] | Failed], sources: list[Source], author: str
) -> Post:
    """Return the post: its sections in order, and the sources that they cite."""
    written = [section.value for section in sections if isinstance(section, Ok)]
    missing = [
        MissingSection(id=planned.id, heading=planned.heading, error=section.error.message)
        for planned, section in zip(outline.sections, sections, strict=True)
        if isinstance(section, Failed)
    ]
    cited = {passage for section in written for passage in section.sources}
    doubts = sum(len(section.checks) for section in written)
    say(describe_doubts(doubts))
    return Post(
        title=outline.title,
        summary=outline.summary,
        sections=written,
        missing=missing,
        sources=[source for source in sources if cited.intersection(source.passages)],
        author=author,
    )


@workflow(WRITE_POST, version="1", title="{topic}")
async def write_post(brief: PostBrief) -> Post:
    """Write a blog post from what was read of a site, with sources."""
    author = resource(Author)  # type: ignore[type-abstract]  # resources are wired by protocol
    found = await research.label("Research")(brief)
    outline = await outline_post.label("Outline")(brief, found)
    if brief.approve_outline:
        outline = await ask(OUTLINE, outline, Outline)
    sources = number_sources(outline, found.passages)
    publish(OUTLINE, outline)
    publish(SOURCES, sources)
    sections = await gather(
        *(
            write_section.key(section.id)
            .label(section.heading)
            .settled()(brief, found.profile, outline, section, passages_of(section, found.passages))
            for section in outline.sections
        )
    )
    return await assemble_post.label("Put together")(outline, sections, sources, author.name)


def describe_doubts(count: int) -> str:
    """Return the message on how many sentences their sources do not support."""
    if count == 0:
        return "Every claim stands in its source"
    if count == 1:
        return "One sentence is marked: its source does not support it"
    return f"{count} sentences are marked: their sources do not support them"


def passages_of(section: OutlineSection, passages: list[Passage]) -> list[Passage]:
    """Return the passages that a section draws on; all of them for a section that a person added."""
    wanted = set(section.passages)
    return [passage for passage in passages if passage.id in wanted] or passages


def number_sources(outline: Outline, passages: list[Passage]) -> list[Source]:
    """Return the pages behind a post, numbered in the order in which its outline first draws on them."""
    by_id = {passage.id: passage for passage in passages}
    order = [by_id[id] for section in outline.sections for id in section.passages if id in by_id]
    pages: dict[str, list[Passage]] = {}
    for passage in dict.fromkeys([*order, *passages]):
        pages.setdefault(passage.url, []).append(passage)
    return [
        Source(number=number, url=url, title=found[0].title, passages=[passage.id for passage in found])
        for number, (url, found) in enumerate(pages.items(), start=1)
    ]
