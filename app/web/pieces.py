"""Long blocks in pieces: items of a list, rows of a table, lines of code, runs of a paragraph.

A piece never changes once the next one has begun, and the block around it does not either: so that a page which follows
a text gets each piece once. What the pieces of a block are depends on its text up to them, never on what follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

from markdown_it.token import Token

from app.web.grammar import MOST_CELLS, read_structure
from app.web.unfinished import read_runs

_LINES = 8
"""Lines of code in one piece."""

Kind = Literal["items", "rows", "lines", "runs"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a block's text. It is known to be one as soon as the character `known` of that text is there."""

    text: str
    known: int
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Pieces:
    """A block with more than one piece. `head` is the text of what stands before them: a table's first two lines.

    `number` is that of the first item of a numbered list, else None.
    """

    kind: Kind
    found: tuple[Piece, ...]
    head: str = ""
    number: int | None = None


@lru_cache(maxsize=512)
def cut_block(text: str) -> Pieces | None:
    """The pieces of a block; None for one that is sent whole, because it is short, or of another kind."""
    pieces = _rows(text) if text.lstrip(" ").startswith("|") else _cut(text, read_structure(text))
    return pieces if pieces is not None and len(pieces.found) > 1 else None


def _cut(text: str, tokens: list[Token]) -> Pieces | None:
    if len(tokens) == 1 and tokens[0].type == "fence":
        return Pieces("lines", tuple(_lines(text, tokens[0].content)))
    if [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]:
        before = len(text) - len(text.lstrip())
        runs = read_runs(tokens[1].content)
        return Pieces("runs", tuple(Piece(run.text, before + run.known - 1, run.plain) for run in runs))
    roots = [token for token in tokens if token.level == 0 and token.nesting >= 0]
    if len(roots) == 1 and roots[0].type in ("bullet_list_open", "ordered_list_open"):
        number = int(roots[0].attrGet("start") or 1) if roots[0].tag == "ol" else None
        begun = [token.map[0] for token in tokens if token.type == "list_item_open" and token.level == 1 and token.map]
        return Pieces("items", tuple(_slices(text, begun)), number=number)
    return None


def _rows(text: str) -> Pieces | None:
    """Each line of a table is a row: no other line goes on with it."""
    lines = text.split("\n", 2)
    if len(lines) < 3 or lines[0].count("|") * text.count("\n") > MOST_CELLS:
        return None
    head = "\n".join(lines[:2])
    if not any(token.type == "table_open" for token in read_structure(head)):
        return None
    return Pieces("rows", tuple(_slices(text, range(2, text.count("\n") + 1))), head=head)


def _lines(text: str, content: str) -> Iterator[Piece]:
    """Lines of code by eights; the last one counts from its first character on, also before its end is there."""
    starts, lines = _line_starts(text), content.split("\n")
    is_closed = text.rpartition("\n")[2].strip() and content.endswith("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    lines = ended if is_closed else [*ended, lines[-1]]
    for at in range(0, len(lines), _LINES):
        yield Piece("".join(lines[at : at + _LINES]), starts[at + 1])


def _slices(text: str, begun: list[int] | range) -> Iterator[Piece]:
    """The text from each of the lines to the next of them."""
    starts = _line_starts(text)
    places = [*(starts[line] for line in begun), len(text) + 1]
    for start, end in pairwise(places):
        yield Piece(text[start : end - 1], start)


def _line_starts(text: str) -> list[int]:
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
