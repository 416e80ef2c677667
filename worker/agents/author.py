"""`Author`: what a writer is asked for. A model can be one, and so can plain algorithms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from app.content.values import (
    Outline,
    OutlineSection,
    PageDigest,
    PageNotes,
    Passage,
    PostBrief,
    Profile,
    ReadPage,
    SiteReading,
    Topic,
)


class Author(Protocol):
    """Reads for a company and writes for it.

    Everything an author is given from the web is data. What it cites are the ids of passages it was given;
    an id that it was not given is for the caller to refuse.
    """

    @property
    def name(self) -> str:
        """What pages call it: `extractive`, or the model's name."""
        ...

    async def profile_site(self, home: ReadPage, candidates: Sequence[str]) -> SiteReading:
        """Profile a company from its home page, and choose what to read next.

        `candidates` are addresses of the sitemap; the home page's own links count too. Gives only addresses
        that stand in one of the two.
        """
        ...

    async def take_notes(self, page: ReadPage) -> PageNotes:
        """Sum up one page in two or three sentences, with up to ten key phrases."""
        ...

    async def suggest_topics(self, profile: Profile, pages: Sequence[PageDigest]) -> list[Topic]:
        """Suggest up to six topics that the pages have enough material for."""
        ...

    async def outline(
        self, brief: PostBrief, profile: Profile, passages: Sequence[Passage], guidance: str = ""
    ) -> Outline:
        """Plan a post of `brief.length.sections` sections, each with the ids of the passages it draws on."""
        ...

    def write_section(
        self,
        brief: PostBrief,
        profile: Profile,
        outline: Outline,
        section: OutlineSection,
        passages: Sequence[Passage],
        guidance: str = "",
    ) -> AsyncIterator[str]:
        """Write one section as Markdown, piece by piece, without its heading; `[s1]` cites passage `s1`."""
        ...
