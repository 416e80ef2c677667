"""The author that asks a model, and checks its answers against the material that it was given."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Collection, Iterable, Sequence
from contextlib import aclosing
from typing import TypeVar

from app.content.slugs import make_unique_slug
from app.content.values import (
    KeyPage,
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
from worker.agents import prompts
from worker.agents.model_answers import (
    ModelAnswer,
    NotesAnswer,
    OutlineAnswer,
    ProfileAnswer,
    SectionAnswer,
    TopicsAnswer,
)
from worker.llm.budget import Budget
from worker.llm.errors import BadOutput
from worker.llm.gateway import Gateway

Answer = TypeVar("Answer", bound=ModelAnswer)

_KEY_PAGES = 6
_KEY_PHRASES = 10
_TOPICS = 6


class ModelAuthor:
    """An `Author` that asks a model through the gateway, within a budget. Every method raises `ModelError`."""

    def __init__(self, gateway: Gateway, budget: Budget | None = None) -> None:
        self._gateway = gateway
        self._budget = budget

    @property
    def name(self) -> str:
        return self._gateway.model

    async def profile_site(self, home: ReadPage, candidates: Sequence[str]) -> SiteReading:
        """Profile a company in one call. Leave out addresses that were not given."""
        answer = await self._ask(prompts.PROFILE_SITE, prompts.profile_prompt(home, candidates), ProfileAnswer)
        titles = {home.url: home.title} | dict.fromkeys(candidates, "") | {link.url: link.text for link in home.links}
        key_pages = [KeyPage(url=url, title=titles[url] or url) for url in _keep_given(answer.key_pages, titles)]
        profile = Profile(
            name=_line(answer.name),
            tagline=_line(answer.tagline),
            summary=_line(answer.summary),
            offers=_lines(answer.offers),
            audience=_line(answer.audience),
            tone=_line(answer.tone),
            language=_language_code(answer.language) or home.language or "en",
            key_pages=key_pages[:_KEY_PAGES],
        )
        return SiteReading(profile=profile, read_next=_keep_given(answer.read_next, titles))

    async def take_notes(self, page: ReadPage) -> PageNotes:
        answer = await self._ask(prompts.TAKE_NOTES, prompts.notes_prompt(page), NotesAnswer)
        return PageNotes(summary=_line(answer.summary), key_phrases=_lines(answer.key_phrases)[:_KEY_PHRASES])

    async def suggest_topics(self, profile: Profile, pages: Sequence[PageDigest]) -> list[Topic]:
        """Suggest topics. Leave out the address of a topic whose page was not given."""
        answer = await self._ask(prompts.SUGGEST_TOPICS, prompts.topics_prompt(profile, pages), TopicsAnswer)
        given = {page.url for page in pages}
        return [
            Topic(title=_line(topic.title)[:200], why=_line(topic.why), url=topic.url if topic.url in given else "")
            for topic in answer.topics[:_TOPICS]
        ]

    async def outline(
        self, brief: PostBrief, profile: Profile, passages: Sequence[Passage], guidance: str = ""
    ) -> Outline:
        """Plan a post. Raise `BadOutput` for a passage that was not given, and for two sections too many or too few."""
        answer = await self._ask(
            prompts.OUTLINE, prompts.outline_prompt(brief, profile, passages, guidance), OutlineAnswer
        )
        _check_outline(answer, brief, passages)
        return Outline(
            title=_line(answer.title)[:200],
            summary=_line(answer.summary)[:1000],
            sections=_number_sections(answer.sections),
        )

    async def write_section(
        self,
        brief: PostBrief,
        profile: Profile,
        outline: Outline,
        section: OutlineSection,
        passages: Sequence[Passage],
        guidance: str = "",
    ) -> AsyncGenerator[str]:
        """Yield the section's text as it comes. The model reads the section's passages, or all if it has none."""
        chosen = [passage for passage in passages if passage.id in section.passages] or passages
        prompt = prompts.section_prompt(brief, profile, outline, section, chosen, guidance)
        text = self._gateway.stream(prompts.WRITE_SECTION, prompts.SYSTEM, prompt, budget=self._budget)
        async with aclosing(text) as pieces:
            async for piece in pieces:
                yield piece

    async def _ask(self, task: str, prompt: str, answer_type: type[Answer]) -> Answer:
        return await self._gateway.structured(task, prompts.SYSTEM, prompt, answer_type, budget=self._budget)


def _check_outline(answer: OutlineAnswer, brief: PostBrief, passages: Sequence[Passage]) -> None:
    given = {passage.id for passage in passages}
    named = {_passage_id(id) for section in answer.sections for id in section.passages}
    if unknown := sorted(named - given):
        raise BadOutput(f"The outline names passages that were not given: {', '.join(unknown)[:200]}.")
    asked = brief.length.sections
    if abs(len(answer.sections) - asked) > 1:
        raise BadOutput(f"The outline has {len(answer.sections)} sections where {asked} were asked for.")


def _number_sections(answers: Sequence[SectionAnswer]) -> list[OutlineSection]:
    sections: list[OutlineSection] = []
    for answer in answers:
        heading = _line(answer.heading)[:200]
        sections.append(
            OutlineSection(
                id=make_unique_slug(heading, {section.id for section in sections}),
                heading=heading,
                points=[point[:500] for point in _lines(answer.points)],
                passages=list(dict.fromkeys(map(_passage_id, answer.passages))),
            )
        )
    return sections


def _passage_id(text: str) -> str:
    """Return the id in a model's answer: models write `[s1]` where `s1` is asked for."""
    return text.strip().strip("[]")


def _keep_given(urls: Iterable[str], given: Collection[str]) -> list[str]:
    return list(dict.fromkeys(url for url in urls if url in given))


def _line(text: str) -> str:
    """Return the text on one line without control characters, which the fields of values refuse."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _language_code(answer: str) -> str:
    """Return what a model answered if it is a language tag (`de`, `de-AT`), else nothing."""
    return answer.strip() if re.fullmatch(r"[A-Za-z]{2,3}([-_]\w{2,8})*", answer.strip()) else ""


def _lines(texts: Iterable[str]) -> list[str]:
    return [line for text in texts if (line := _line(text))]
