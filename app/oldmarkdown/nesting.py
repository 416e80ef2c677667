"""What stands inside an item or a quotation: Markdown again, without the margin in front of its lines.

Models indent what belongs to an item by two spaces or by four, whatever its mark is. So here a line belongs to the item
above it unless it begins another one of the same list; CommonMark would count the columns, and end the list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from app.oldmarkdown.blocks import Block, kind_of, split_blocks

_MARK = re.compile(r"( {0,3})([-*+]|(\d{1,9})[.)])( *)")
_MOST_SPACES = 4
"""Spaces after a mark that belong to it; from one more on, all but one are the item's own."""
_QUOTED = re.compile(r"\A *> ?")


class Item(NamedTuple):
    """One item of a list: its text with its mark, and where that begins in the list's."""

    text: str
    at: int


class Inner(NamedTuple):
    """A block inside, and where each of its lines begins in it and in the text around it."""

    block: Block
    places: tuple[tuple[int, int], ...]

    @property
    def is_text(self) -> bool:
        return kind_of(self.block.text) == "text"


def read_items(text: str) -> Iterator[Item]:
    """The items of a list."""
    kind, begun, at = kind_of(text), 0, 0
    width = 0
    for line in text.split("\n"):
        mark = _MARK.match(line)
        if at and mark is not None and len(mark[1]) < width and kind_of(line) == kind:
            yield Item(text[begun : at - 1], begun)
            begun = at
        if begun == at:
            width = _width(line)
        at += len(line) + 1
    yield Item(text[begun:], begun)


def first_number(text: str) -> int | None:
    """The number of a list's first item; None for a list without numbers."""
    mark = _MARK.match(text)
    return int(mark[3]) if mark and mark[3] else None


def read_item(text: str) -> list[Inner]:
    """The blocks of an item."""
    width = _width(text.partition("\n")[0])
    first, *others = text.split("\n")
    return _read([first[width:], *(line[min(width, _indent(line)) :] for line in others)], text)


def read_quotation(text: str) -> list[Inner]:
    """The blocks of a quotation."""
    return _read([_QUOTED.sub("", line, count=1) for line in text.split("\n")], text)


def _read(lines: list[str], around: str) -> list[Inner]:
    """The blocks of these lines, each of which is the end of a line of the text around them."""
    inside, outside, places = 0, 0, {}
    for line, whole in zip(lines, around.split("\n"), strict=True):
        places[inside] = outside + len(whole) - len(line)
        inside, outside = inside + len(line) + 1, outside + len(whole) + 1
    return [Inner(block, _place(block, places)) for block in split_blocks("\n".join(lines), True)]


def _place(block: Block, places: dict[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((begun, places[at]) for begun, (at, _) in zip(block.begun, block.lines, strict=True))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _width(line: str) -> int:
    """How far the text of an item that begins with this line is from the margin."""
    mark = _MARK.match(line)
    if mark is None:
        return 0
    spaces = len(mark[4])
    is_empty = mark.end() == len(line)
    return mark.end() - spaces + (1 if is_empty or spaces > _MOST_SPACES else spaces)
