"""The text of one section: the spans of its passages that say most about it, in source order, with citations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from app.content.values import (
    Length,
    Outline,
    OutlineSection,
    Passage,
    PostBrief,
)
from worker.agents.extractive.material import (
    MAX_SPAN,
    Material,
    NotEnoughMaterial,
    SentenceSpan,
    list_spans,
    read_material,
    sentence_key,
    split_without,
)
from worker.agents.text.markdown import escape
from worker.agents.text.ranking import MAX_RANKED, lexrank, scale
from worker.agents.text.sentences import split_sentences
from worker.agents.text.similarity import Vector, VectorSpace, cosine, terms

_BUDGET = {Length.SHORT: 130, Length.MEDIUM: 170, Length.LONG: 200}
"""About how many words a section has."""
_PARAGRAPHS = {Length.SHORT: 2, Length.MEDIUM: 3, Length.LONG: 4}
_SHORTER = re.compile(r"\b(?:short(?:er)?|brief(?:er)?|concise|tight(?:er|en)?|less|cut)\b", re.IGNORECASE)
_LONGER = re.compile(r"\b(?:long(?:er)?|more (?:detail\w*|depth)|detailed|expand|deeper)\b", re.IGNORECASE)
_DIVERSITY, _CEILING = 0.4, 0.6


def compose_section(
    brief: PostBrief,
    outline: Outline,
    section: OutlineSection,
    passages: Sequence[Passage],
    language: str,
    guidance: str = "",
) -> list[str]:
    """Return the section's Markdown in pieces: a sentence each, with the marks and blank lines around it.

    Raise `NotEnoughMaterial` when the section's passages have no usable sentence.
    """
    own = [passage for passage in passages if passage.id in section.passages] if section.passages else list(passages)
    materials = read_material(own, language)
    if not materials:
        raise NotEnoughMaterial(
            f"The passages of the section “{section.heading}” have no sentence that can be quoted."
            " Remove the section, or give it other passages."
        )
    # The summary stands above the sections; only where nothing else is left may a section repeat it.
    used = frozenset(sentence_key(s) for s in split_sentences(outline.summary, language))
    spans = _find_spans(materials, used) or _find_spans(materials, frozenset())
    query = " ".join([section.heading, *section.points])
    scores = _rate(spans, materials, query, brief.topic, guidance, language)
    chosen = _choose(spans, scores, brief.length, guidance)
    return list(_render(_join_short(chosen)))


def _find_spans(materials: Sequence[Material], used: frozenset[str]) -> list[SentenceSpan]:
    spans: list[SentenceSpan] = []
    seen: set[str] = set(used)
    for material in materials:
        for span in material.spans:
            for piece in split_without(span, frozenset(seen)):
                seen.update(sentence_key(sentence) for sentence in piece.sentences)
                spans.extend(list_spans(piece))
        spans.extend(material.lists)
    return spans


class _Rating:
    """The scores and vectors of spans, in the order of the spans."""

    def __init__(self, scores: list[float], vectors: list[Vector]) -> None:
        self.scores = scores
        self.vectors = vectors


def _rate(
    spans: Sequence[SentenceSpan], materials: Sequence[Material], query: str, topic: str, guidance: str, language: str
) -> _Rating:
    sentences = list(dict.fromkeys(s for span in spans for s in (*span.sentences, *span.items)))[:MAX_RANKED]
    space = VectorSpace([terms(sentence, language) for sentence in sentences])
    central = scale(lexrank(space.vectors))
    wanted = space.vector(terms(query, language) * 2 + terms(topic, language))
    asked = space.vector(terms(guidance, language))
    near = scale([cosine(vector, wanted) for vector in space.vectors])
    rank = {
        sentence: 0.45 * central[i] + 0.55 * near[i] + 1.5 * cosine(space.vectors[i], asked)
        for i, sentence in enumerate(sentences)
    }
    return _Rating(
        [_score(span, rank) for span in spans],
        [space.vector(terms(span.text, language)) for span in spans],
    )


def _score(span: SentenceSpan, rank: dict[str, float]) -> float:
    parts = (*span.sentences, *span.items)
    mean = sum(rank.get(part, 0.0) for part in parts) / len(parts)
    # Two to four sentences make a paragraph, and the first sentence of one was written to open it.
    fullness = {1: 0.7, 2: 1.0, 3: 1.15}.get(len(parts), 1.15)
    opening = 0.12 if span.position[2] == 0 else 0.0
    too_long = 0.15 if span.word_count > 110 else 0.0
    return (mean + opening) * fullness - too_long


def _choose(spans: Sequence[SentenceSpan], rating: _Rating, length: Length, guidance: str) -> list[SentenceSpan]:
    factor = 0.6 if _SHORTER.search(guidance) else 1.6 if _LONGER.search(guidance) else 1.0
    budget, most = _BUDGET[length] * factor, max(2, round(_PARAGRAPHS[length] * factor))
    chosen: list[int] = []
    left = list(range(len(spans)))
    while left and len(chosen) < most and sum(spans[i].word_count for i in chosen) < budget * 0.8:
        nearest = {i: max((cosine(rating.vectors[i], rating.vectors[j]) for j in chosen), default=0.0) for i in left}
        best = max(left, key=lambda i: (rating.scores[i] - _DIVERSITY * nearest[i], -i))
        if chosen and rating.scores[best] - _DIVERSITY * nearest[best] < 0.1:
            break
        chosen.append(best)
        has_list = any(spans[i].items for i in chosen)
        left = [
            i
            for i in left
            if not _overlap(spans[i], spans[best]) and nearest[i] <= _CEILING and not (has_list and spans[i].items)
        ]
    return sorted((spans[i] for i in chosen), key=lambda span: span.position)


def _overlap(left: SentenceSpan, right: SentenceSpan) -> bool:
    return bool(set(left.sentences + left.items) & set(right.sentences + right.items))


def _join_short(spans: Sequence[SentenceSpan]) -> list[SentenceSpan]:
    """Join neighbours of one paragraph, and single sentences of one passage, into one paragraph."""
    joined: list[SentenceSpan] = []
    for span in spans:
        last = joined[-1] if joined else None
        if last and _belong_together(last, span):
            joined[-1] = SentenceSpan(last.passage_id, last.position, last.sentences + span.sentences)
        else:
            joined.append(span)
    return joined


def _belong_together(left: SentenceSpan, right: SentenceSpan) -> bool:
    if left.items or right.items or left.passage_id != right.passage_id:
        return False
    lone = len(left.sentences) == 1 or len(right.sentences) == 1
    same_paragraph = left.position[1] == right.position[1]
    return (lone or same_paragraph) and len(left.sentences) + len(right.sentences) <= MAX_SPAN


def _render(spans: Sequence[SentenceSpan]) -> Iterator[str]:
    for index, span in enumerate(spans):
        separator = "\n\n" if index else ""
        citation = f" [{span.passage_id}]"
        for number, sentence in enumerate(span.sentences):
            ends = number == len(span.sentences) - 1
            # Inside a paragraph a sentence's first sign can't start a list or a heading, but a new line could.
            yield (separator if number == 0 else " ") + escape(sentence) + (citation if ends else "")
        for number, item in enumerate(span.items):
            yield ("\n\n" if number == 0 else "\n") + f"- {escape(item)}{citation}"
