"""Values that onboarding and writing exchange: profiles, notes, outlines, sections, posts.

Every value is small, frozen, and round-trips through JSON, because logs store them as the results of steps.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _refuse_control_characters(text: str) -> str:
    if any((ord(char) < 32 and char not in "\n\t") or ord(char) == 127 for char in text):
        raise ValueError("must not contain control characters")
    return text


def visible_text(text: str) -> str:
    """Return the text without the space around it; empty where none of its characters can be seen."""
    return text.strip() if any(char.isprintable() and not char.isspace() for char in text) else ""


Line = Annotated[str, AfterValidator(_refuse_control_characters)]


class FrozenModel(BaseModel):
    """A frozen value that refuses unknown fields, so that a misspelt field of an input is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OnboardInput(FrozenModel):
    """Input of `onboard-site`."""

    url: Annotated[Line, Field(min_length=1, max_length=2000, description="The company's web address")]


class Length(StrEnum):
    SHORT = "short"
    MEDIUM = "medium"
    LONG = "long"

    @property
    def sections(self) -> int:
        """The number of sections of a post of this length."""
        return {Length.SHORT: 3, Length.MEDIUM: 4, Length.LONG: 6}[self]


class PostBrief(FrozenModel):
    """Input of `write-post`: the post's topic, audience and form."""

    site_id: Annotated[Line, Field(min_length=1, max_length=40, description="The site to write from")]
    topic: Annotated[Line, Field(min_length=3, max_length=200, description="What the post is about")]
    audience: Annotated[Line, Field(max_length=200, description="Who it is for; empty: the site's audience")] = ""
    tone: Annotated[Line, Field(max_length=100, description="How it should sound; empty: the site's tone")] = ""
    length: Annotated[Length, Field(description="short: 3 sections, medium: 4, long: 6")] = Length.MEDIUM
    approve_outline: Annotated[bool, Field(description="Wait for a person to approve the outline")] = False


class KeyPage(FrozenModel):
    url: str
    title: str


class Profile(FrozenModel):
    """A company as its own site describes it."""

    name: str
    tagline: str = ""
    summary: str = ""
    offers: list[str] = []
    audience: str = ""
    tone: str = ""
    language: str = "en"
    key_pages: list[KeyPage] = []


class SiteReading(FrozenModel):
    """The result of reading the home page: the profile, and the addresses to read next, best first."""

    profile: Profile
    read_next: list[str] = []


class PageLink(FrozenModel):
    """A link found on a page, absolute and on the same site."""

    url: str
    text: str = ""


class PageBlock(FrozenModel):
    """A run of text under one heading; `text` holds paragraphs parted by blank lines."""

    heading: str = ""
    text: str


class ReadPage(FrozenModel):
    """A page that was read: its main text, without navigation and boilerplate."""

    url: str
    title: str
    description: str = ""
    site_name: str = ""
    language: str = ""
    blocks: list[PageBlock] = []
    links: list[PageLink] = []

    @property
    def text(self) -> str:
        """The main text, headings included, blocks parted by blank lines."""
        return "\n\n".join(f"{b.heading}\n\n{b.text}" if b.heading else b.text for b in self.blocks)


class PageNotes(FrozenModel):
    """An author's notes on one page."""

    summary: str
    key_phrases: list[str] = []


class PageDigest(FrozenModel):
    """A summary of one page that was read. Topics are suggested from it."""

    url: str
    title: str
    summary: str
    key_phrases: list[str] = []


class Topic(FrozenModel):
    """A suggested topic, and the page it came from."""

    title: str
    why: str = ""
    url: str = ""


class Passage(FrozenModel):
    """A piece of one page that a post may draw on. An author cites it by its `id` (`s1`, `s2`, …)."""

    id: str
    url: str
    title: str
    heading: str = ""
    text: str


class OutlineSection(FrozenModel):
    """One planned section; `id` is unique in its outline and stable under editing."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,59}$")]
    heading: Annotated[Line, Field(min_length=1, max_length=200)]
    points: list[Annotated[Line, Field(max_length=500)]] = []
    passages: list[str] = []


UNIQUE_BY = "x-unique-by"
"""A keyword of our JSON schemas: no two items of the list have the same value under this name.

A person's answer is validated with it; a value that a log holds already is read without it."""


class Outline(FrozenModel):
    title: Annotated[Line, Field(min_length=1, max_length=200)]
    summary: Annotated[Line, Field(max_length=1000)] = ""
    sections: Annotated[list[OutlineSection], Field(min_length=1, max_length=12, json_schema_extra={UNIQUE_BY: "id"})]


class Check(FrozenModel):
    """A sentence of a section that its cited source does not support. `reason` says why it is marked."""

    sentence: str
    reason: str


class Section(FrozenModel):
    """A written section. In `markdown`, `[s1]` cites the passage with that id."""

    id: str
    heading: str
    markdown: str
    sources: list[str] = []
    checks: list[Check] = []


class MissingSection(FrozenModel):
    """The place of a section that could not be written. The post says so until the section is retried."""

    id: str
    heading: str
    error: str


class Source(FrozenModel):
    """A page that a post draws on. Sources are numbered in the order in which the outline names them."""

    number: int
    url: str
    title: str
    passages: list[str] = []


class Post(FrozenModel):
    """A finished post: the output of `write-post`."""

    title: str
    summary: str = ""
    sections: list[Section] = []
    missing: list[MissingSection] = []
    sources: list[Source] = []
    author: str = ""


class SiteReport(FrozenModel):
    """The output of `onboard-site`."""

    site_id: str
    profile: Profile
    pages_read: int
    pages_failed: int
    topics: list[Topic] = []
