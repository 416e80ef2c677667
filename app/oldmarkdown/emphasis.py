"""Which emphasis is open at a place in Markdown, as CommonMark pairs its marks."""

from __future__ import annotations

from typing import NamedTuple

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace

MARKS = "*_~"
_MOST_OPEN = 16
"""Marks that are kept in mind: with fewer closed, further ones are text here, which only shows while it is written."""


class Opened(NamedTuple):
    """Marks that may begin emphasis: which, how many are left, and where."""

    mark: str
    left: int
    at: int


Open = tuple[Opened, ...]
"""What is open, the outermost first."""


def after_marks(text: str, start: int, end: int, opened: Open) -> Open:
    """What is open after the run of marks that stands from `start` to `end`; a character follows it."""
    mark, count = text[start], end - start
    if mark == "~":
        count -= count % 2
    opens, closes = _flanks(text, start, end)
    if closes:
        opened, count = _close(opened, mark, count)
    if opens and count and len(opened) < _MOST_OPEN:
        opened = (*opened, Opened(mark, count, start))
    return opened


def closing_marks(opened: Open, before: int) -> str:
    """The marks that close what was opened before that place."""
    return "".join(one.mark * one.left for one in reversed(opened) if one.at < before)


def _close(opened: Open, mark: str, count: int) -> tuple[Open, int]:
    while count:
        index = next((i for i in range(len(opened) - 1, -1, -1) if opened[i].mark == mark), -1)
        if index < 0:
            break
        found = opened[index]
        used = min(2, found.left, count)
        rest = found._replace(left=found.left - used)
        opened = (*opened[:index], rest) if rest.left else opened[:index]
        count -= used
    return opened, count


def _flanks(text: str, start: int, end: int) -> tuple[bool, bool]:
    """Whether the marks can open, and whether they can close."""
    before, after = text[start - 1] if start else " ", text[end]
    punct_before, punct_after = _is_punctuation(before), _is_punctuation(after)
    space_before, space_after = isWhiteSpace(ord(before)), isWhiteSpace(ord(after))
    left = not space_after and (not punct_after or space_before or punct_before)
    right = not space_before and (not punct_before or space_after or punct_after)
    if text[start] != "_":
        return left, right
    return left and (not right or punct_before), right and (not left or punct_after)


def _is_punctuation(char: str) -> bool:
    return isMdAsciiPunct(ord(char)) or isPunctChar(char)
