"""A step's text on a page: a tree of elements that grows by the difference of two trees."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from html import escape

from app.content.citations import Numbers
from app.contract.attempt import Attempt
from app.contract.cursors import START
from app.contract.status import StepStatus
from app.live.fragments import Fragment, Patch, Position, order
from app.markdown import Growing, Tree, patches, render
from app.web.fragments.memo import Memo

BuildText = Callable[[str, Attempt | None, Numbers, Memo], tuple[Fragment, ...]]
"""Builds the fragment of an attempt's text, if it has any: `build_text`, or `build_plain_text` where that fails."""


def build_text(element_id: str, attempt: Attempt | None, numbers: Numbers, memo: Memo) -> tuple[Fragment, ...]:
    """Return the element around an attempt's text, whose blocks have the ids ID0, ID1, … and their parts ID0_0, …

    The log says how long the text was at each cursor, so that a viewer is sent the difference between the tree of the
    text as it was there and the tree of the text now. When the attempt ends, the element around this one is replaced.
    """
    if attempt is None or not attempt.marks:
        return ()
    complete = attempt.status is not StepStatus.RUNNING
    key = (attempt.number, *sorted(numbers.items()))
    growing = memo.get(f"growing {element_id}", key, lambda: Growing(numbers))
    tree = read_tree(growing, attempt.text, complete)

    def grow(after: Position) -> list[Patch]:
        before = read_tree(growing, attempt.text[: length_at(attempt, after)], False)
        return [Patch(*patch) for patch in patches(before, tree, element_id)]

    born, grown = attempt.marks[0][1], attempt.marks[-1][1]
    html = f'<div class="prose" id="{escape(element_id)}" dir="auto">{{}}</div>'
    return (Fragment(element_id, born, START, lambda: html.format(render(tree, element_id)), grown=grown, grow=grow),)


def build_plain_text(element_id: str, attempt: Attempt | None, _numbers: Numbers, _memo: Memo) -> tuple[Fragment, ...]:
    """Return the element with an attempt's text as it was written."""
    if attempt is None or not attempt.marks:
        return ()
    html = f'<div class="prose" id="{escape(element_id)}" dir="auto"><p class="plain">{escape(attempt.text)}</p></div>'
    return (Fragment(element_id, attempt.marks[0][1], attempt.marks[-1][1], lambda: html),)


def read_tree(growing: Growing, text: str, complete: bool) -> Tree:
    """Read a length of a text that grows."""
    return growing.read(text, complete)


def length_at(attempt: Attempt, after: Position) -> int:
    """Return how many characters the text had at a position of the log."""
    index = bisect_right(attempt.marks, after, key=lambda mark: order(mark[1]))
    return attempt.marks[index - 1][0] if index else 0


def cursor_of_length(attempt: Attempt, length: int) -> str:
    """Return the cursor at which the text was first this long."""
    index = bisect_left(attempt.marks, length, key=lambda mark: mark[0])
    return attempt.marks[min(index, len(attempt.marks) - 1)][1]
