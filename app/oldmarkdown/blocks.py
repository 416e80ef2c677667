"""Markdown that is still being written, split into blocks so that a block, once begun, never becomes another.

Markdown's own rules let a later character change what a line is (`-` may become a list, a rule or a heading). Here a
line counts only from the character on that decides its kind; until then it is held back. So for any beginning P of a
text T, the blocks of P are the first blocks of T, of which only the last may be shorter.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

_UNDECIDED = re.compile(r"(?:[-*+_~`#>|=\s]|\d{1,9}[.)][ \t])*(?:\d{1,9}[.)]?[ \t]*)?")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HEADING = re.compile(r" {0,3}#{1,6}(?:[ \t]|$)")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_ITEM = re.compile(r" {0,3}(?:([-*+])|(\d{1,9})([.)]))(?:[ \t]|$)")
_INDENTED = re.compile(r" {2,}\S")
_MARGIN = re.compile(r"[-*+>\d.) \t]*")
_TICKS = re.compile(rf"{_MARGIN.pattern}`{{3}}")
_TAB = 4
"""Columns from one tab stop to the next."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of a text. `shown` is the least length of the text at which the block is there.

    `begun` are where its lines begin in it, `lines` where they begin in the text, each with the least length of the
    text at which that one is there. A line that begins with tabs is longer than in the text: it begins, so to speak,
    before its place.
    """

    text: str
    shown: int
    lines: tuple[tuple[int, int], ...] = ()
    begun: tuple[int, ...] = ()

    def reached(self, place: int) -> int:
        """The least length of the text at which this character of the block is there."""
        line = bisect_right(self.begun, place) - 1
        at, shown = self.lines[line]
        return max(shown, at + place - self.begun[line] + 1)


class _Line(NamedTuple):
    """A line, where it begins, and the least length of the text at which it is there."""

    text: str
    at: int
    shown: int


@dataclass(slots=True)
class _Open:
    kind: str
    lines: list[_Line]
    fence: str = ""
    blanks: list[_Line] = field(default_factory=list)

    def take(self, line: _Line) -> None:
        self.lines += (*self.blanks, line)
        self.blanks.clear()


@lru_cache(maxsize=512)
def split_blocks(text: str, complete: bool) -> tuple[Block, ...]:
    """The blocks of a text. `complete` says that nothing follows; otherwise an undecided last line is left out."""
    done: list[Block] = []
    block: _Open | None = None
    for line in _decided_lines(text.replace("\r", " ").replace("\0", "\ufffd"), complete):
        spaced = line if block is not None and block.kind == "fence" else _without_tabs(line)
        if block is not None and _goes_on(block, spaced):
            continue
        if block is not None:
            done.append(_close(block))
        block = _begin(spaced) if line.text.strip() else None
    if block is not None:
        done.append(_close(block))
    return tuple(done)


def kind_of(text: str) -> str:
    """What kind of block a text is, or its first line begins: `text`, `heading`, `rule`, `fence`, `quote`, `table`, or
    `list` with the mark of its items."""
    line = text.partition("\n")[0]
    if _FENCE.match(line):
        return "fence"
    if _HEADING.match(line):
        return "heading"
    if _RULE.match(line):
        return "rule"
    if item := _ITEM.match(line):
        return f"list{item[1] or item[3]}"
    return {">": "quote", "|": "table"}.get(line.lstrip(" ")[:1], "text")


def _decided_lines(text: str, complete: bool) -> Iterator[_Line]:
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        line = text[start : end if end >= 0 else len(text)]
        undecided = _undecided_length(line)
        if end < 0 and undecided == len(line) and not complete:
            return
        yield _Line(line, start, start + undecided + 1)
        start = end + 1 if end >= 0 else len(text)


def _undecided_length(line: str) -> int:
    if _TICKS.match(line):
        # A fence, unless another backtick follows anywhere in the line.
        return len(line)
    match = _UNDECIDED.match(line)
    return match.end() if match else 0


def _begin(line: _Line) -> _Open:
    fence = _FENCE.match(line.text)
    return _Open(kind_of(line.text), [line], fence=fence[1] if fence else "")


def _without_tabs(line: _Line) -> _Line:
    """The line with spaces for tabs in its margin, where they decide how deep it stands."""
    margin = _MARGIN.match(line.text)
    if margin is None or "\t" not in margin[0]:
        return line
    spaced = margin[0].expandtabs(_TAB)
    return line._replace(text=spaced + line.text[margin.end() :], at=line.at + margin.end() - len(spaced))


def _goes_on(block: _Open, line: _Line) -> bool:
    """Whether the line belongs to the block, which then has it."""
    if block.kind == "fence":
        block.take(line)
        if _closes(block.fence, line.text):
            block.kind = "closed"
        return True
    if not line.text.strip():
        block.blanks.append(line._replace(text=""))
        return block.kind.startswith("list")
    if not _continues(block, line.text):
        return False
    block.take(line)
    return True


def _continues(block: _Open, line: str) -> bool:
    kind = kind_of(line)
    if block.kind.startswith("list"):
        if _INDENTED.match(line) or kind == block.kind:
            return True
        return kind == "text" and not block.blanks and _can_go_on(block.lines[-1].text)
    if block.kind == "quote":
        return kind == "quote" or (kind == "text" and _can_go_on(block.lines[-1].text))
    if block.kind == "table":
        return kind == "table"
    return block.kind == "text" and (kind == "text" or _is_later_number(line))


def _can_go_on(line: str) -> bool:
    """Whether text below may belong to this line without its margin: not where it has none itself."""
    return _undecided_length(line) < len(line)


def _is_later_number(line: str) -> bool:
    # Only a list that starts with 1 may interrupt a paragraph: a sentence may go on with "1984." in a new line.
    item = _ITEM.match(line)
    return item is not None and item[2] is not None and int(item[2]) != 1


def _closes(fence: str, line: str) -> bool:
    mark = line.strip()
    return len(mark) >= len(fence) and set(mark) == {fence[0]}


def _close(block: _Open) -> Block:
    lines = [line.text for line in block.lines]
    places = tuple((line.at, line.shown) for line in block.lines)
    begun = tuple(accumulate((len(line) + 1 for line in lines[:-1]), initial=0))
    return Block("\n".join(lines), block.lines[0].shown, places, begun)
