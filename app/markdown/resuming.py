"""From where a text that was added to is read again.

CommonMark reads line by line, and what a line is depends only on what is open when it comes: the lists, items and
quotations around it, and the last block inside them. So what is finished is left out of the text that is read again,
and what is open is begun anew: each item and quotation by a line that has nothing else in it, a table by its head, code
by its fence, and a paragraph or a heading by a letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import NamedTuple

from app.markdown.blocks import LINES, Block, Reading
from app.markdown.tree import Node

_STAND_IN = "x"
_WITH_MARGIN = ("list_item_open", "blockquote_open")
_LISTS = ("bullet_list_open", "ordered_list_open")
_TAB = 4


class Open(NamedTuple):
    """An element that goes on: what is finished of it, and how many elements that are read stand for that.

    `is_text` says that what it begins with when it is read again is a later run of its text.
    """

    node: Node
    stand_ins: int = 0
    is_text: bool = False


class Place(NamedTuple):
    """From where a text is read again: `head` stands for all that is before the character `at`.

    The `opened` elements hold each other. `joined` is the line of a text whose first character stands for what is
    finished of it, `table` the line of a table that had `rows` before.
    """

    head: str = ""
    at: int = 0
    opened: tuple[Open, ...] = (Open(Node("")),)
    joined: int = -1
    table: int = -1
    rows: int = 0


START = Place()


START = Place()


class _Cut(NamedTuple):
    """Where a text is cut: at the character `at`. What is begun before the line `line` is begun anew by lines of its
    own; then the text `begin` begins the last block, if that is cut itself.

    `steps` lead into the last block: how many elements are read again, and how many that are read stand for others.
    """

    at: int
    line: int
    begin: str = ""
    steps: tuple[tuple[int, int], ...] = ()
    rows: int = 0
    is_text: bool = False


def resume(reading: Reading, place: Place, root: Node) -> Place:
    """Return the place from which to read on, after a reading from an earlier place; `root` holds what is there now."""
    chain = list(_last_blocks(reading.blocks))
    if not chain:
        return place
    source = _Source(reading)
    cut = source.cut_inside(chain[-1])
    if cut is None:
        chain = chain[:-1] if chain[-1].is_head else chain
        cut = source.cut_before(chain[-1])
    if cut.at <= len(place.head):
        return place
    begun = {block.line: block for block in chain if block.kind in _WITH_MARGIN and block.line < cut.line}
    head = "".join(map(source.begin_anew, begun.values()))
    line = head.count("\n")
    return Place(
        head + cut.begin,
        place.at + cut.at - len(place.head),
        tuple(_open(chain, begun, Node("", "", reading.tree), root, cut)),
        joined=line if cut.is_text else -1,
        table=line if cut.rows else -1,
        rows=cut.rows + (place.rows if cut.rows and chain[-1].line == place.table else 0),
    )


def _open(chain: list[Block], begun: dict[int, Block], read: Node, node: Node, cut: _Cut) -> Iterator[Open]:
    """Yield the elements that go on: `node` and the last ones in it, as far as they begin before the cut."""
    stand_ins = 0
    for block in chain:
        if block.is_head:
            break
        again = len(read.children) - block.before
        yield _keep(node, again, stand_ins)
        if not cut.steps and block.line >= cut.line and block.kind not in _LISTS:
            return
        read, node = read.children[block.before], node.children[-again]
        stand_ins = int(block.kind == "blockquote_open" and begun.get(block.line) is block)
    for again, stand_ins in cut.steps:
        yield _keep(node, again, stand_ins, cut.is_text)
        node = node.children[-1] if node.children else node


def _keep(node: Node, again: int, stand_ins: int, is_text: bool = False) -> Open:
    return Open(node._replace(children=node.children[: len(node.children) - again]), stand_ins, is_text)


def _last_blocks(blocks: list[Block]) -> Iterator[Block]:
    while blocks:
        yield blocks[-1]
        blocks = blocks[-1].inside


class _Source:
    """The characters of a text that was read."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._text = reading, reading.text
        self._starts = [0, *accumulate(len(line) + 1 for line in reading.text.split("\n"))]

    def cut_before(self, block: Block) -> _Cut:
        return _Cut(self._starts[block.line], block.line)

    def cut_inside(self, block: Block) -> _Cut | None:
        """Return where to cut inside a block, if something in it is finished."""
        if block.shown < 2:
            return None
        match block.kind:
            case "fence":
                return self._cut_code(block, 1)
            case "code_block":
                return self._cut_code(block, 0)
            case "table_open":
                return self._cut_rows(block)
            case "paragraph_open" | "heading_open":
                return self._cut_text(block)
            case _:
                return None

    def begin_anew(self, block: Block) -> str:
        """Return lines that begin an item or a quotation, with what is around it, and nothing else."""
        margin = self._margin(block.line, block.tokens[0].level + 1)
        blank = re.sub(r"[^>\s]", " ", margin).rstrip()
        return f"{margin}{_STAND_IN}\n{blank}\n"

    def _margin(self, line: int, level: int) -> str:
        """Return how a line goes up to the block of that level which begins in it."""
        start = self._starts[line]
        place, excess = self._reading.env["margins"].get((line, level), (-1, 0))
        if place < 0:  # nothing but the mark of an item
            return f"{self._text[start : self._starts[line + 1] - 1].rstrip()} "
        margin = self._text[start:place].expandtabs(_TAB)
        return margin[: len(margin) - excess]

    def _cut_code(self, block: Block, fences: int) -> _Cut | None:
        """Cut before the last lines of code. What is indented cannot begin with an empty line."""
        line = block.line + fences + (block.shown - 1) * LINES
        start, end = self._starts[line : line + 2]
        if not fences and not self._text[start:end].strip("> \t\n"):
            return None
        begin = self._text[self._starts[block.line] : self._starts[block.line + fences]]
        return _Cut(start, block.line + 1 - fences, begin, ((1, 0), (1, 0)))

    def _cut_rows(self, block: Block) -> _Cut:
        """Cut before the last row of a table."""
        begin = self._text[self._starts[block.line] : self._starts[block.line + 2]]
        return _Cut(self._starts[block.line + 1 + block.shown], block.line, begin, ((1, 1), (1, 0)), block.shown - 1)

    def _cut_text(self, block: Block) -> _Cut | None:
        """Cut before the last run of a paragraph or a heading."""
        token, content = block.tokens[0], block.tokens[1].content
        place = block.runs[-1] + (block.line == self._reading.joined)
        line = block.line + content.count("\n", 0, place)
        start, end = self._starts[line : line + 2]
        begins, ends = content.rfind("\n", 0, place) + 1, content.find("\n", place)
        rest = content[place : ends if ends >= 0 else len(content)].rstrip(" \t")
        if token.type == "heading_open":
            at = self._text.find(content, start, end) + place - begins
        else:
            at = start + len(self._text[start : end - 1].rstrip(" \t")) - len(rest)
        if not self._text.startswith(rest, at) or at < start:
            return None
        begin = f"{self._margin(block.line, token.level)}{token.markup}{' ' if token.markup else ''}{_STAND_IN}"
        return _Cut(at, block.line, begin, ((1, 0),), is_text=True)
