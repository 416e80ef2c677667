"""The author that writes without a model, from the site's own sentences."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

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
from worker.agents.extractive.material import NotEnoughMaterial
from worker.agents.extractive.notes import take_notes
from worker.agents.extractive.outline import plan_outline
from worker.agents.extractive.profile import profile_site
from worker.agents.extractive.sections import compose_section
from worker.agents.extractive.topics import suggest_topics

__all__ = ["ExtractiveAuthor", "NotEnoughMaterial"]


class ExtractiveAuthor:
    """An `Author` without a key or a network: it ranks, picks and orders sentences, and invents none.

    The same input makes the same output. `outline` and `write_section` raise `NotEnoughMaterial` where the passages
    have too few usable sentences. The work is done in threads, so that the event loop stays free.
    """

    @property
    def name(self) -> str:
        return "extractive"

    async def profile_site(self, home: ReadPage, candidates: Sequence[str]) -> SiteReading:
        return await asyncio.to_thread(profile_site, home, candidates)

    async def take_notes(self, page: ReadPage) -> PageNotes:
        return await asyncio.to_thread(take_notes, page)

    async def suggest_topics(self, profile: Profile, pages: Sequence[PageDigest]) -> list[Topic]:
        return await asyncio.to_thread(suggest_topics, profile, pages)

    async def outline(
        self, brief: PostBrief, profile: Profile, passages: Sequence[Passage], guidance: str = ""
    ) -> Outline:
        return await asyncio.to_thread(plan_outline, brief, profile, passages, guidance)

    async def write_section(
        self,
        brief: PostBrief,
        profile: Profile,
        outline: Outline,
        section: OutlineSection,
        passages: Sequence[Passage],
        guidance: str = "",
    ) -> AsyncIterator[str]:
        pieces = await asyncio.to_thread(compose_section, brief, outline, section, passages, profile.language, guidance)
        for piece in pieces:
            yield piece
            await asyncio.sleep(0)
