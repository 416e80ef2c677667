"""The material of a post: spans of whole sentences that can stand on their own, and lists with their lead-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from app.content.values import Passage
from worker.agents.text.prose import depends_on_previous, is_list_item, is_list_lead, is_prose
from worker.agents.text.sentences import flatten, split_list, split_paragraphs, split_sentences
from worker.agents.text.similarity import terms

MAX_SPAN = 4


class NotEnoughMaterial(Exception):
    """There is too little prose to write from; the message says what to do about it."""


@dataclass(frozen=True)
class SentenceSpan:
    """Neighbouring sentences of one paragraph, or a list with the sentence that leads into it."""

    passage_id: str
    position: tuple[int, int, int]
    """The numbers of its passage, its paragraph, and its first sentence there."""
    sentences: tuple[str, ...]
    items: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return " ".join((*self.sentences, *self.items))

    @property
    def word_count(self) -> int:
        return len(self.text.split())


@dataclass(frozen=True)
class Material:
    """The usable parts of one passage. `order` is the passage's index among those of the post."""

    passage: Passage
    order: int
    language: str
    spans: tuple[SentenceSpan, ...] = ()
    """The longest spans of usable sentences."""
    lists: tuple[SentenceSpan, ...] = ()

    @property
    def sentences(self) -> list[str]:
        return [sentence for span in self.spans for sentence in span.sentences]

    @property
    def word_count(self) -> int:
        return sum(span.word_count for span in (*self.spans, *self.lists))

    @cached_property
    def terms(self) -> list[str]:
        return terms(f"{self.passage.heading}\n{self.passage.text}", self.language)


def read_material(passages: Sequence[Passage], language: str) -> list[Material]:
    """Return the material of each passage that has usable sentences, in the order given."""
    read = [_read_passage(passage, order, language) for order, passage in enumerate(passages)]
    return [material for material in read if material.spans]


def _read_passage(passage: Passage, order: int, language: str) -> Material:
    spans: list[SentenceSpan] = []
    lists: list[SentenceSpan] = []
    lead = ""
    for number, paragraph in enumerate(split_paragraphs(passage.text)):
        items = split_list(paragraph)
        if items:
            usable = tuple(item for item in items if is_list_item(item, language))
            if is_list_lead(lead, language) and len(usable) == len(items) and 2 <= len(items) <= 8:
                lists.append(SentenceSpan(passage.id, (order, number, 0), (lead,), usable))
            lead = ""
            continue
        sentences = split_sentences(paragraph, language)
        lead = sentences[-1] if sentences else ""
        spans.extend(_find_spans(sentences, passage.id, (order, number), language))
    return Material(passage, order, language, tuple(spans), tuple(lists))


def _find_spans(
    sentences: Sequence[str], passage_id: str, position: tuple[int, int], language: str
) -> list[SentenceSpan]:
    spans: list[SentenceSpan] = []
    current: list[str] = []
    for index, sentence in enumerate([*sentences, ""]):
        usable = is_prose(sentence, language) and (bool(current) or not depends_on_previous(sentence))
        if usable:
            current.append(sentence)
        elif current:
            spans.append(SentenceSpan(passage_id, (*position, index - len(current)), tuple(current)))
            current = []
    return spans


def list_spans(span: SentenceSpan) -> list[SentenceSpan]:
    """Return each part of a span, of up to `MAX_SPAN` sentences, that does not depend on a sentence before it."""
    passage, paragraph, first = span.position
    return [
        SentenceSpan(span.passage_id, (passage, paragraph, first + start), span.sentences[start:end])
        for start in range(len(span.sentences))
        if not depends_on_previous(span.sentences[start])
        for end in range(start + 1, min(start + MAX_SPAN, len(span.sentences)) + 1)
    ]


def split_without(span: SentenceSpan, dropped: frozenset[str]) -> list[SentenceSpan]:
    """Return the parts of a span between the sentences whose keys are in `dropped`."""
    passage, paragraph, first = span.position
    pieces: list[SentenceSpan] = []
    start = 0
    for index, sentence in enumerate([*span.sentences, ""]):
        if index == len(span.sentences) or sentence_key(sentence) in dropped:
            if index > start:
                pieces.append(
                    SentenceSpan(span.passage_id, (passage, paragraph, first + start), span.sentences[start:index])
                )
            start = index + 1
    return pieces


def sentence_key(sentence: str) -> str:
    """Return the same text for all copies of a sentence, spaces and case aside."""
    return flatten(sentence).casefold()
