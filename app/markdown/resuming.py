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

from app.markdown.blocks import CONTAINERS, LINES, Block, Reading, line_of
from app.markdown.tree import Node

_STAND_IN = "x"
_LISTS, _WITH_MARGIN = CONTAINERS[:2], CONTAINERS[2:]
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
        chain = chain[:-1] if chain[-1].meta.get("is_head") else chain
        cut = _Cut(source.starts[line_of(chain[-1])], line_of(chain[-1]))
    if cut.at <= len(place.head):
        return place
    begun = {line_of(one): one for one in chain if one.type in _WITH_MARGIN and line_of(one) < cut.line}
    head = "".join(map(source.begin_anew, begun.values()))
    line = head.count("\n")
    return Place(
        head + cut.begin,
        place.at + cut.at - len(place.head),
        tuple(_open(chain, begun, Node("", "", reading.tree), root, cut)),
        joined=line if cut.is_text else -1,
        table=line if cut.rows else -1,
        rows=cut.rows + (place.rows if cut.rows and line_of(chain[-1]) == place.table else 0),
    )


def _open(chain: list[Block], begun: dict[int, Block], read: Node, node: Node, cut: _Cut) -> Iterator[Open]:
    """Yield the elements that go on: `node` and the last ones in it, as far as they begin before the cut."""
    stand_ins = 0
    for block in chain:
        if block.meta.get("is_head"):
            break
        again = len(read.children) - block.meta["before"]
        yield _keep(node, again, stand_ins)
        if not cut.steps and line_of(block) >= cut.line and block.type not in _LISTS:
            return
        read, node = read.children[block.meta["before"]], node.children[-again]
        stand_ins = int(block.type == "blockquote" and begun.get(line_of(block)) is block)
    for again, stand_ins in cut.steps:
        yield _keep(node, again, stand_ins, cut.is_text)
        node = node.children[-1]


def _keep(node: Node, again: int, stand_ins: int, is_text: bool = False) -> Open:
    return Open(node._replace(children=node.children[: len(node.children) - again]), stand_ins, is_text)


def _last_blocks(blocks: list[Block]) -> Iterator[Block]:
    while blocks:
        yield blocks[-1]
        blocks = blocks[-1].children if blocks[-1].type in CONTAINERS else []


class _Source:
    """The characters of a text that was read, and where its lines begin."""

    def __init__(self, reading: Reading) -> None:
        self._reading, self._text = reading, reading.text
        self.starts = [0, *accumulate(len(line) + 1 for line in reading.text.split("\n"))]

    def cut_inside(self, block: Block) -> _Cut | None:
        """Return where to cut inside a block, if something in it is finished."""
        shown, line = block.meta.get("shown", 0), line_of(block)
        if shown < 2:
            return None
        match block.type:
            case "table":
                return _Cut(self.starts[line + 1 + shown], line, self._lines(line, 2), ((1, 1), (1, 0)), rows=shown - 1)
            case "fence":
                return _Cut(self.starts[line + 1 + (shown - 1) * LINES], line, self._lines(line, 1), ((1, 0), (1, 0)))
            case "code_block":
                last = line + (shown - 1) * LINES
                is_empty = not self._lines(last, 1).strip("> \t\n")  # with such a line no indented code begins
                return None if is_empty else _Cut(self.starts[last], line + 1, "", ((1, 0), (1, 0)))
            case _:
                return self._cut_text(block)

    def begin_anew(self, block: Block) -> str:
        """Return lines that begin an item or a quotation, with what is around it, and nothing else."""
        margin = self._margin(line_of(block), block.level + 1)
        blank = re.sub(r"[^>\s]", " ", margin).rstrip()
        return f"{margin}{_STAND_IN}\n{blank}\n"

    def _lines(self, line: int, count: int) -> str:
        return self._text[self.starts[line] : self.starts[line + count]]

    def _margin(self, line: int, level: int) -> str:
        """Return how a line goes up to the block of that level which begins in it."""
        place, excess = self._reading.env["margins"].get((line, level), (-1, 0))
        if place < 0:  # nothing but the mark of an item
            return f"{self._lines(line, 1).rstrip()} "
        margin = self._text[self.starts[line] : place].expandtabs(_TAB)
        return margin[: len(margin) - excess]

    def _cut_text(self, block: Block) -> _Cut | None:
        """Cut before the last run of a paragraph or a heading."""
        content, line = block.children[0].content, line_of(block)
        place = block.meta["runs"][-1] + (line == self._reading.joined)
        at_line = line + content.count("\n", 0, place)
        written, start = self._lines(at_line, 1).rstrip(), self.starts[at_line]
        rest = content[place:].partition("\n")[0].rstrip()
        is_heading = block.type == "heading"
        at = start + (written.find(content) + place if is_heading else len(written) - len(rest))
        if not self._text.startswith(rest, at) or at < start:
            return None
        begin = f"{self._margin(line, block.level)}{block.markup}{' ' * is_heading}{_STAND_IN}"
        return _Cut(at, line, begin, ((1, 0),), is_text=True)
