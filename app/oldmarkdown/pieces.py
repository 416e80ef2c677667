"""Long blocks in pieces: items of a list, blocks of an item or a quotation, rows of a table, lines of code, runs of a
paragraph. Items and blocks may be cut in pieces themselves.

A piece never changes once the next one has begun, and what is around it does not either: so that a page which follows
a text gets each piece once. What the pieces of a block are depends on its text up to them, never on what follows.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import Literal

from app.oldmarkdown.blocks import kind_of
from app.oldmarkdown.grammar import MOST_CELLS, read_structure
from app.oldmarkdown.nesting import (
    Inner,
    first_number,
    read_item,
    read_items,
    read_quotation,
)
from app.oldmarkdown.unfinished import read_runs

DEEPEST = 6
"""How deep items and quotations inside each other are cut. What stands deeper is sent whole with the last that is."""
_LINES = 8
"""Lines of code in one piece."""

Kind = Literal["items", "blocks", "rows", "lines", "runs"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a text. It is known to be one as soon as the character `known` of that text is there.

    `places` are where its lines begin in it and in that text; none where no piece of it is asked for.
    """

    text: str
    known: int
    plain: bool = False
    places: tuple[tuple[int, int], ...] = ()

    def place(self, at: int) -> int:
        """Where a character of the piece is in the text around it."""
        inside, outside = self.places[bisect_right(self.places, at, key=lambda place: place[0]) - 1]
        return outside + at - inside


@dataclass(frozen=True, slots=True)
class Pieces:
    """A text in pieces. `head` is the text of what stands before them: a table's first two lines, or the paragraph with
    which an item begins. `number` is that of the first item of a numbered list, else None.

    It has been so since the character `formed` of the text is there: before, it was sent whole, or in other pieces.
    """

    kind: Kind
    found: tuple[Piece, ...]
    formed: int = 0
    head: str = ""
    number: int | None = None


@lru_cache(maxsize=4096)
def cut_block(text: str, depth: int = 0) -> Pieces | None:
    """The pieces of a block; None for one that is sent whole, because it is short, or of another kind."""
    kind = kind_of(text)
    if kind.startswith("list") and depth < DEEPEST:
        items = tuple(Piece(item.text, item.at, places=((0, item.at),)) for item in read_items(text))
        return Pieces("items", items, number=first_number(text))
    if kind == "quote" and depth < DEEPEST:
        return Pieces("blocks", tuple(map(_inner, read_quotation(text))))
    if kind == "text":
        return _if_many("runs", tuple(_runs(text)))
    if kind == "fence":
        return _if_many("lines", tuple(_lines(text)))
    return _rows(text) if kind == "table" else None


@lru_cache(maxsize=4096)
def cut_item(text: str) -> Pieces | None:
    """The pieces of an item: its blocks, or the runs of its only paragraph; None for a short one."""
    blocks = read_item(text)
    if not blocks:
        return None
    first, *others = map(_inner, blocks)
    if not blocks[0].is_text:
        return Pieces("blocks", (first, *others), formed=first.known)
    if not others:
        runs = (Piece(run.text, first.place(run.known), run.plain) for run in _runs(first.text))
        return _if_many("runs", tuple(runs))
    if blocks[1].is_text:
        return Pieces("blocks", (first, *others), formed=others[0].known)
    return Pieces("blocks", tuple(others), formed=others[0].known, head=first.text)


def cut_piece(pieces: Pieces, piece: Piece, depth: int) -> Pieces | None:
    """The pieces of a piece of a text that stands that deep."""
    match pieces.kind:
        case "items":
            return cut_item(piece.text)
        case "blocks":
            return cut_block(piece.text, depth + 1)
        case _:
            return None


def _inner(inner: Inner) -> Piece:
    return Piece(inner.block.text, inner.places[0][1], places=inner.places)


def _if_many(kind: Kind, found: tuple[Piece, ...], head: str = "") -> Pieces | None:
    return Pieces(kind, found, formed=found[1].known, head=head) if len(found) > 1 else None


def _runs(text: str) -> Iterator[Piece]:
    before = len(text) - len(text.lstrip())
    for run in read_runs(text.strip()):
        yield Piece(run.text, before + max(run.known - 1, 0), run.plain)


def _rows(text: str) -> Pieces | None:
    """Each line of a table is a row: no other line goes on with it."""
    lines = text.split("\n", 2)
    if len(lines) < 3 or lines[0].count("|") * text.count("\n") > MOST_CELLS:
        return None
    head = "\n".join(lines[:2])
    if not any(token.type == "table_open" for token in read_structure(head)):
        return None
    starts = _line_starts(text)
    places = [*starts[2 : text.count("\n") + 1], len(text) + 1]
    return _if_many("rows", tuple(Piece(text[at : end - 1], at) for at, end in pairwise(places)), head)


def _lines(text: str) -> Iterator[Piece]:
    """Lines of code by eights; the last one counts from its first character on, also before its end is there."""
    content = read_structure(text)[0].content
    starts, lines = _line_starts(text), content.split("\n")
    is_closed = text.rpartition("\n")[2].strip() and content.endswith("\n")
    ended = [f"{line}\n" for line in lines[:-1]]
    lines = ended if is_closed else [*ended, lines[-1]]
    for at in range(0, len(lines), _LINES):
        yield Piece("".join(lines[at : at + _LINES]), starts[at + 1])


def _line_starts(text: str) -> list[int]:
    return [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
