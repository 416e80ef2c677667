"""What passages offer a post: spans of whole sentences that can stand on their own, and lists with their lead-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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
    """A run of neighbouring sentences of one paragraph, or a list with the sentence that leads into it."""

    passage_id: str
    place: tuple[int, int, int]
    """Where it stands: passage, paragraph, sentence."""
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
    """One passage, with what of it can be used; `order` is its place among the passages of the post."""

    passage: Passage
    order: int
    language: str
    runs: tuple[SentenceSpan, ...] = field(default=())
    """The longest runs of usable sentences: every span is a part of one."""
    lists: tuple[SentenceSpan, ...] = field(default=())

    @property
    def sentences(self) -> list[str]:
        return [sentence for run in self.runs for sentence in run.sentences]

    @property
    def word_count(self) -> int:
        return sum(run.word_count for run in (*self.runs, *self.lists))

    @cached_property
    def terms(self) -> list[str]:
        return terms(f"{self.passage.heading}\n{self.passage.text}", self.language)


def read_material(passages: Sequence[Passage], language: str) -> list[Material]:
    """The material of each passage that has any, in the order given."""
    read = [_read_passage(passage, order, language) for order, passage in enumerate(passages)]
    return [material for material in read if material.runs]


def _read_passage(passage: Passage, order: int, language: str) -> Material:
    runs: list[SentenceSpan] = []
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
        runs.extend(_find_runs(sentences, passage.id, (order, number), language))
    return Material(passage, order, language, tuple(runs), tuple(lists))


def _find_runs(sentences: Sequence[str], passage_id: str, place: tuple[int, int], language: str) -> list[SentenceSpan]:
    runs: list[SentenceSpan] = []
    current: list[str] = []
    for index, sentence in enumerate([*sentences, ""]):
        usable = is_prose(sentence, language) and (bool(current) or not depends_on_previous(sentence))
        if usable:
            current.append(sentence)
        elif current:
            runs.append(SentenceSpan(passage_id, (*place, index - len(current)), tuple(current)))
            current = []
    return runs


def list_spans(run: SentenceSpan) -> list[SentenceSpan]:
    """Every part of a run, of up to `MAX_SPAN` sentences, that leans on nothing before it."""
    passage, paragraph, first = run.place
    return [
        SentenceSpan(run.passage_id, (passage, paragraph, first + start), run.sentences[start:end])
        for start in range(len(run.sentences))
        if not depends_on_previous(run.sentences[start])
        for end in range(start + 1, min(start + MAX_SPAN, len(run.sentences)) + 1)
    ]


def split_without(run: SentenceSpan, dropped: frozenset[str]) -> list[SentenceSpan]:
    """The run cut at every sentence that is (spaces and case aside) in `dropped`."""
    passage, paragraph, first = run.place
    pieces: list[SentenceSpan] = []
    start = 0
    for index, sentence in enumerate([*run.sentences, ""]):
        if index == len(run.sentences) or sentence_key(sentence) in dropped:
            if index > start:
                pieces.append(
                    SentenceSpan(run.passage_id, (passage, paragraph, first + start), run.sentences[start:index])
                )
            start = index + 1
    return pieces


def sentence_key(sentence: str) -> str:
    """What two copies of a sentence share."""
    return flatten(sentence).casefold()
