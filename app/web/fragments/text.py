"""A step's text as fragments: one for each block of its Markdown, with one for each piece of a long block, so that what
is finished is not sent again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from html import escape
from itertools import pairwise
from typing import NamedTuple

from app.contract.attempt import Attempt
from app.contract.status import StepStatus
from app.live.fragments import Fragment
from app.oldmarkdown.blocks import Block, split_blocks
from app.oldmarkdown.markdown import (
    Numbers,
    render_block,
    render_piece,
    tail_id,
)
from app.oldmarkdown.pieces import (
    Piece,
    Pieces,
    cut_block,
    cut_piece,
)

Reach = Callable[[int], str]
"""Gives the cursor at which a character of a text was there."""
BlocksOf = Callable[[str, Attempt | None, Numbers], tuple[Fragment, ...]]
"""Gives the fragments of an attempt's text: `text_blocks`, or `plain_blocks` where that fails."""


def plain_blocks(prefix: str, attempt: Attempt | None, _numbers: Numbers) -> tuple[Fragment, ...]:
    """The text as it was written, in one element."""
    if attempt is None or not attempt.marks:
        return ()
    element_id, text = f"{prefix}_b0", attempt.text
    draw = partial('<p class="plain" id="{}">{}</p>'.format, escape(element_id), escape(text, quote=False))
    return (Fragment(element_id, attempt.marks[0][1], attempt.marks[-1][1], draw),)


def text_blocks(prefix: str, attempt: Attempt | None, numbers: Numbers) -> tuple[Fragment, ...]:
    """The blocks of an attempt's text, with the ids PREFIX_b0, PREFIX_b1, … and their pieces, PREFIX_b0_0, …

    No prefix has an underscore: `vitamin-b1` may be a section's own name, and `vitamin_b1` is a block of `vitamin`.

    A block last changed when the next one began; the open one with the newest piece of text. Whoever shows them is
    changed itself when the attempt ends, or another one takes its place.
    """
    if attempt is None or not attempt.marks:
        return ()
    complete = attempt.status is not StepStatus.RUNNING
    blocks = split_blocks(attempt.text, complete)
    spans = _spans([reached(attempt, block.shown) for block in blocks], attempt.marks[-1][1], complete)
    found = []
    for index, (block, span) in enumerate(zip(blocks, spans, strict=True)):
        element_id = f"{prefix}_b{index}"
        draw = partial(render_block, block.text, numbers, element_id, span.complete)
        part = _Part(element_id, span, draw, cut_block(block.text), partial(_reach, attempt, block))
        found.append(_fragment(part, numbers, 0))
    return tuple(found)


class _Span(NamedTuple):
    """From where to where in the log a part of a text was written: until the next one began, if there is one."""

    born: str
    changed: str
    complete: bool


class _Part(NamedTuple):
    """A block or a piece, what draws it, its own pieces, and when the characters of its text were there."""

    element_id: str
    span: _Span
    draw: Callable[[], str]
    pieces: Pieces | None
    reach: Reach


def _fragment(part: _Part, numbers: Numbers, depth: int) -> Fragment:
    """The part of a text that stands that deep. Around pieces of its own nothing has changed since it has them."""
    element_id, span, draw, pieces, reach = part
    if pieces is None:
        return Fragment(element_id, span.born, span.changed, draw)
    inner_depth = depth + (pieces.kind == "blocks")
    spans = _spans([reach(piece.known) for piece in pieces.found], span.changed, span.complete)
    children = []
    for index, (piece, inner) in enumerate(zip(pieces.found, spans, strict=True)):
        inner_id = f"{element_id}_{index}"
        draw_inner = partial(render_piece, pieces, piece, numbers, inner_id, inner.complete, depth)
        reach_inner = partial(_reach_inside, reach, piece)
        own = _Part(inner_id, inner, draw_inner, cut_piece(pieces, piece, depth), reach_inner)
        children.append(_fragment(own, numbers, inner_depth))
    return Fragment(element_id, span.born, reach(pieces.formed), draw, tuple(children), tail=tail_id(element_id))


def _spans(born: list[str], changed: str, complete: bool) -> list[_Span]:
    """Those of the parts of a text that last changed at `changed`."""
    ended = [_Span(one, following, True) for one, following in pairwise(born)]
    return [*ended, *(_Span(last, changed, complete) for last in born[-1:])]


def _reach(attempt: Attempt, block: Block, place: int) -> str:
    return reached(attempt, block.reached(place))


def _reach_inside(around: Reach, piece: Piece, place: int) -> str:
    return around(piece.place(place))


def reached(attempt: Attempt, length: int) -> str:
    """The cursor at which the text was first this long."""
    index = bisect_left(attempt.marks, length, key=lambda mark: mark[0])
    return attempt.marks[min(index, len(attempt.marks) - 1)][1]
