"""A text that is only added to: of what is finished nothing is read again."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.content.citations import Numbers
from app.markdown.blocks import Reading
from app.markdown.resuming import START, Open, resume
from app.markdown.tree import Node, Tree

_UNDECIDED = re.compile(r"[-*+_~`#>|=:.)\d \t]*\Z")
_MAYBE_FENCE = re.compile(r"[-*+>\d.) \t]*`{3,}[^`]*\Z")
_UNFIT = re.compile(r"[\0\ud800-\udfff]")


def read(text: str, numbers: Numbers, complete: bool = True) -> Tree:
    """Return the tree of a text. Of one that goes on, nothing half-written shows."""
    return Growing(numbers).read(text, complete)


class Growing:
    """The tree of a text that is only ever added to; any other text is read from its start."""

    KEPT = 4
    """Trees that are kept: most who follow a text are one patch behind."""

    def __init__(self, numbers: Numbers) -> None:
        self._numbers = numbers
        self._text, self._place = "", START
        self._kept: dict[tuple[int, bool], Tree] = {}

    def read(self, text: str, complete: bool) -> Tree:
        """Return the tree of the text: exactly what `read` returns for it."""
        text = _UNFIT.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
        if self._text.startswith(text) and (kept := self._kept.get((len(text), complete))) is not None:
            return kept
        if not text.startswith(self._text):
            if self._text.startswith(text):  # an earlier length, which somebody still has
                return read(text, self._numbers, complete)
            self._place, self._kept = START, {}
        tree = self._read_on(text if complete else _decided(text), complete)
        self._text, self._kept[len(text), complete] = text, tree
        while len(self._kept) > self.KEPT:
            del self._kept[next(iter(self._kept))]
        return tree

    def _read_on(self, text: str, complete: bool) -> Tree:
        place = self._place
        env = {"margins": {}, "table": place.table, "rows": place.rows}
        reading = Reading(place.head + text[place.at :], self._numbers, complete, place.joined, env)
        root = _join(place.opened, Node("", "", reading.tree))
        if not complete:
            self._place = resume(reading, place, root)
        return root.children


def _decided(text: str) -> str:
    """Return the text without a last line of which nobody can tell yet what it is, and of the empty lines at its end
    only the first."""
    start = text.rfind("\n") + 1
    if not _UNDECIDED.match(text, start) and not _MAYBE_FENCE.match(text, start):
        return text
    filled = len(text[:start].rstrip("> \t\n"))
    ends = text.find("\n", text.find("\n", filled) + 1)
    return text[: min(start, ends + 1)] if ends >= 0 else text[:start]


def _join(opened: Sequence[Open], read: Node | None) -> Node:
    """Return the element that goes on, with what was read of it now."""
    (old, stand_ins, is_text), *deeper = opened
    nodes = read.children[stand_ins:] if read else ()
    if is_text and read is not None and (read.html or read.children):
        nodes = (Node("span", read.html), *nodes)
    if deeper:
        nodes = (_join(deeper, nodes[0] if nodes else None), *nodes[1:])
    tag = read.tag if read is not None and not old.tag.startswith("ol") else old.tag
    return Node(tag, old.html, (*old.children, *nodes))
