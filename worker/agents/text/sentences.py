"""Paragraphs, list items and sentences of plain text."""

from __future__ import annotations

import re
from functools import lru_cache

from pysbd import Segmenter
from pysbd.languages import LANGUAGE_CODES

from worker.agents.text.stopwords import base_language

MAX_SEGMENT = 3_000
"""The time of pysbd grows faster than its input: longer paragraphs are first cut at spaces after full stops."""

_BLANK_LINES = re.compile(r"\n[ \t]*\n")
_LIST_MARK = re.compile(r"^\s*(?:[-*•‣–]|\d{1,2}[.)])\s+")
_FENCED = re.compile(r"^(```|~~~).*?(?:^\1|\Z)", re.MULTILINE | re.DOTALL)
_SPACES = re.compile(r"\s+")


def split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text, separated by blank lines. Leave out fenced code; keep the lines of lists."""
    return [part.strip() for part in _BLANK_LINES.split(_FENCED.sub("\n\n", text)) if part.strip()]


def split_list(paragraph: str) -> list[str]:
    """Return the items of a paragraph that is a list, without their marks; none if it is no list."""
    lines = [line for line in paragraph.splitlines() if line.strip()]
    if len(lines) < 2 or not all(_LIST_MARK.match(line) for line in lines):
        return []
    return [flatten(_LIST_MARK.sub("", line)) for line in lines]


def flatten(text: str) -> str:
    """Return the text on one line, with single spaces."""
    return _SPACES.sub(" ", text).strip()


def split_sentences(text: str, language: str = "en") -> list[str]:
    """Return the sentences of a text in order; a list item is at least one. Each is a part of `flatten(text)`."""
    sentences: list[str] = []
    for paragraph in split_paragraphs(text):
        for unit in split_list(paragraph) or [flatten(paragraph)]:
            sentences.extend(_segment(unit, _supported(language)))
    return sentences


def _supported(language: str) -> str:
    code = base_language(language)
    return code if code in LANGUAGE_CODES else "en"


@lru_cache(maxsize=4096)
def _segment(unit: str, language: str) -> tuple[str, ...]:
    # A segmenter keeps its text in itself, so that one can't be shared by threads.
    found: list[str] = []
    for piece in _cut_long(unit):
        segments = Segmenter(language=language, clean=False).segment(piece)
        found.extend(segment.strip() for segment in segments if segment.strip())
    return tuple(found)


def _cut_long(unit: str) -> list[str]:
    pieces: list[str] = []
    while len(unit) > MAX_SEGMENT:
        cut = unit.rfind(". ", 0, MAX_SEGMENT) + 1 or unit.rfind(" ", 0, MAX_SEGMENT)
        cut = cut if cut > 0 else MAX_SEGMENT
        pieces.append(unit[:cut])
        unit = unit[cut:].strip()
    return [*pieces, unit] if unit else pieces
