"""The sources under a post: those that its shown text cites, also while it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from app.content.citations import CITATION, cited_passages
from app.content.values import Source
from app.contract.step import Step
from app.live.fragments import latest, order
from app.web.fragments.changes import shown_attempt
from app.web.fragments.memo import Memo
from app.web.fragments.text import reached


class CitedSources(NamedTuple):
    """The sources, with the numbers they have had from the start, and the cursor at which the last of them came in."""

    sources: list[Source]
    changed: str


def cited_sources(sources: Sequence[Source], steps: Sequence[Step], kept: Memo) -> CitedSources:
    """The sources that the shown texts of these steps cite.

    While nothing but text grows, sources only come in: each at the cursor at which the first citation of it was there.
    """
    texts = [_keep_passages(step, kept) for step in steps]
    since = {source.number: found for source in sources if (found := _first(source, texts))}
    return CitedSources([source for source in sources if source.number in since], latest(since.values()))


def _first(source: Source, texts: Sequence[Mapping[str, str]]) -> str:
    """The cursor since which one of the texts cites it; empty where none does."""
    found = [text[passage] for text in texts for passage in source.passages if passage in text]
    return min(found, key=order, default="")


def _keep_passages(step: Step, kept: Memo) -> dict[str, str]:
    return kept.get(f"passages {step.path}", step.changed, lambda: _passages(step))


def _passages(step: Step) -> dict[str, str]:
    """The passages that the step's shown text cites, each with the cursor since which it does."""
    attempt = shown_attempt(step)
    if attempt is None:
        return {}
    ends: dict[str, int] = {}
    for match in CITATION.finditer(attempt.text):
        for passage in cited_passages(match[1]):
            ends.setdefault(passage, match.end())
    return {passage: reached(attempt, end) for passage, end in ends.items()}
