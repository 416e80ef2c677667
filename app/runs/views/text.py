"""A step's text as fragments: one for each block of its Markdown, so that finished blocks are not sent again."""

from __future__ import annotations

from bisect import bisect_left
from functools import partial

from app.contract.runs import StepStatus
from app.contract.steps import Attempt
from app.runs.patching import Fragment
from app.web.blocks import split_blocks
from app.web.markdown import Numbers, render_block


def text_blocks(prefix: str, attempt: Attempt | None, numbers: Numbers) -> tuple[Fragment, ...]:
    """The blocks of an attempt's text, with the ids PREFIX_b0, PREFIX_b1, …

    No prefix has an underscore: `vitamin-b1` may be a section's own name, and `vitamin_b1` is a block of `vitamin`.
    A block last changed when the next one began; the open one with the newest piece. Whoever shows them is changed
    itself when the attempt ends, or another one takes its place.
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
        element_id = f"{prefix}_b{index}"
        draw = partial(render_block, block.text, numbers, element_id, complete or not is_last)
        found.append(Fragment(element_id, born[index], changed, draw))
    return tuple(found)


def _reached(attempt: Attempt, length: int) -> str:
    """The cursor at which the text was first this long."""
    index = bisect_left(attempt.marks, length, key=lambda mark: mark[0])
    return attempt.marks[min(index, len(attempt.marks) - 1)][1]
