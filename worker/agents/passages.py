"""Passages: pieces of a page, of about 80 to 160 words, cut at its paragraphs. Posts are written from them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.content.values import PageBlock, Passage, ReadPage
from worker.agents.text.sentences import split_paragraphs, split_sentences

MIN_WORDS, MAX_WORDS = 80, 160


def split_passages(page: ReadPage) -> list[Passage]:
    """Return the passages of a page in its order, with the ids `s1`, `s2`, … within the page.

    A passage never crosses a heading, and is only cut inside a paragraph, at a sentence, where that is longer than
    `MAX_WORDS`. A block shorter than `MIN_WORDS` is a short passage.
    """
    pieces = [(block.heading, text) for block in page.blocks for text in _split_block(block, page.language or "en")]
    return [
        Passage(id=f"s{number}", url=page.url, title=page.title, heading=heading, text=text)
        for number, (heading, text) in enumerate(pieces, start=1)
    ]


def number_passages(passages: Iterable[Passage]) -> list[Passage]:
    """Return the passages with the ids `s1`, `s2`, … in the order given, as one post cites them."""
    return [passage.model_copy(update={"id": f"s{number}"}) for number, passage in enumerate(passages, start=1)]


def _split_block(block: PageBlock, language: str) -> list[str]:
    passages: list[list[str]] = [[]]
    for paragraph in _bounded_paragraphs(block.text, language):
        have, more = _count(passages[-1]), len(paragraph.split())
        introduced = bool(passages[-1]) and passages[-1][-1].endswith(":")
        if have and have + more > MAX_WORDS and not (introduced and have + more < 2 * MAX_WORDS):
            passages.append([])
        passages[-1].append(paragraph)
    _join_short_end(passages)
    return ["\n\n".join(parts) for parts in passages if parts]


def _join_short_end(passages: list[list[str]]) -> None:
    short = len(passages) > 1 and _count(passages[-1]) < MIN_WORDS // 2
    if short and _count(passages[-2]) + _count(passages[-1]) <= MAX_WORDS + MIN_WORDS // 2:
        passages[-2].extend(passages.pop())


def _bounded_paragraphs(text: str, language: str) -> list[str]:
    bounded: list[str] = []
    for paragraph in split_paragraphs(text):
        bounded.extend([paragraph] if len(paragraph.split()) <= MAX_WORDS else _cut(paragraph, language))
    return bounded


def _cut(paragraph: str, language: str) -> list[str]:
    lines = paragraph.splitlines()
    units, joint = (lines, "\n") if len(lines) > 2 else (split_sentences(paragraph, language), " ")
    pieces: list[list[str]] = [[]]
    for unit in units:
        if pieces[-1] and _count(pieces[-1]) + len(unit.split()) > MAX_WORDS:
            pieces.append([])
        pieces[-1].append(unit)
    return [joint.join(piece) for piece in pieces if piece]


def _count(parts: Sequence[str]) -> int:
    return sum(len(part.split()) for part in parts)
