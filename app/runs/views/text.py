"""A step's text as fragments: one for each block of its Markdown, with one for each piece of a long block, so that what
is finished is not sent again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from html import escape

from app.contract.runs import StepStatus
from app.contract.steps import Attempt
from app.runs.patching import Fragment
from app.web.blocks import Block, split_blocks
from app.web.markdown import Numbers, render_block, render_piece, tail_id
from app.web.pieces import Pieces, cut_block

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
    born = [_reached(attempt, block.shown) for block in blocks]
    found = []
    for index, block in enumerate(blocks):
        is_last = index == len(blocks) - 1
        changed = attempt.marks[-1][1] if is_last else born[index + 1]
        element_id, is_whole = f"{prefix}_b{index}", complete or not is_last
        draw = partial(render_block, block.text, numbers, element_id, is_whole)
        pieces = cut_block(block.text)
        if pieces is None:
            found.append(Fragment(element_id, born[index], changed, draw))
            continue
        inner = _pieces(element_id, attempt, block, pieces, numbers, changed, is_whole)
        # It has pieces since there are two of them; what stands around them has not changed since.
        found.append(Fragment(element_id, born[index], inner[1].born, draw, inner, tail=tail_id(element_id)))
    return tuple(found)


def _pieces(
    prefix: str, attempt: Attempt, block: Block, pieces: Pieces, numbers: Numbers, changed: str, is_whole: bool
) -> tuple[Fragment, ...]:
    """The pieces of a block that itself last changed at `changed`."""
    born = [_reached(attempt, length) for length in block.reached([piece.known for piece in pieces.found])]
    found = []
    for index, piece in enumerate(pieces.found):
        is_last = index == len(born) - 1
        element_id = f"{prefix}_{index}"
        draw = partial(render_piece, pieces, piece, numbers, element_id, is_whole or not is_last)
        found.append(Fragment(element_id, born[index], changed if is_last else born[index + 1], draw))
    return tuple(found)


def _reached(attempt: Attempt, length: int) -> str:
    """The cursor at which the text was first this long."""
    index = bisect_left(attempt.marks, length, key=lambda mark: mark[0])
    return attempt.marks[min(index, len(attempt.marks) - 1)][1]
