"""An author that fails: busy now and then, and unable to do some things at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from app.content.values import (
    Outline,
    OutlineSection,
    PageNotes,
    Passage,
    PostBrief,
    Profile,
    ReadPage,
    SiteReading,
)
from worker.agents.extractive_author import ExtractiveAuthor


class Busy(Exception):
    """Another attempt may follow at once."""

    transient = True
    retry_after = 0.0


class FailingAuthor(ExtractiveAuthor):
    """Is busy at the first profile, outline and first section; cannot write second sections, nor read prices."""

    def __init__(self) -> None:
        super().__init__()
        self._was_busy: set[str] = set()

    def _fail_once(self, what: str) -> None:
        if what not in self._was_busy:
            self._was_busy.add(what)
            raise Busy(f"Too busy for the {what}")

    async def profile_site(self, home: ReadPage, candidates: Sequence[str]) -> SiteReading:
        self._fail_once("profile")
        return await super().profile_site(home, candidates)

    async def take_notes(self, page: ReadPage) -> PageNotes:
        if "pricing" in page.url:
            raise ValueError("The prices cannot be read")
        return await super().take_notes(page)

    async def outline(
        self, brief: PostBrief, profile: Profile, passages: Sequence[Passage], guidance: str = ""
    ) -> Outline:
        self._fail_once("outline")
        return await super().outline(brief, profile, passages, guidance)

    async def write_section(
        self,
        brief: PostBrief,
        profile: Profile,
        outline: Outline,
        section: OutlineSection,
        passages: Sequence[Passage],
        guidance: str = "",
    ) -> AsyncIterator[str]:
        number = [planned.id for planned in outline.sections].index(section.id)
        pieces = super().write_section(brief, profile, outline, section, passages, guidance)
        async for piece in pieces:
            yield piece
            if number == 0:
                self._fail_once("section")
            if number == 1:
                raise ValueError("The second section cannot be written")
