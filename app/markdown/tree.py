"""A text as a tree of elements, its HTML, and the patches that bring a page from one tree to a later one."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import count
from typing import Literal, NamedTuple

Swap = Literal["outerMorph", "outerHTML", "beforeend", "delete"]


class Node(NamedTuple):
    """An element: its tag with attributes, its inline HTML, and the elements after that.

    Both only ever come from the reader. What is finished of an element stays the same `Node` as the text grows.
    """

    tag: str
    html: str = ""
    children: tuple[Node, ...] = ()


Tree = tuple[Node, ...]
"""The blocks of a text."""


class Patch(NamedTuple):
    """Brings `html` to the element `target`: in its place, as another kind of element in its place, or at its end; or
    takes the element away."""

    target: str
    html: str
    swap: Swap = "outerMorph"

    def encode(self) -> str:
        """Return the patch as an element for htmx."""
        return f'<hx-partial hx-target="#{escape(self.target)}" hx-swap="{self.swap}">{self.html}</hx-partial>'


def render(tree: Tree, element_id: str = "") -> str:
    """Return the HTML of the blocks. With an id, the element around them has that one, and each of theirs begins with
    it."""
    return _render_all(tree, element_id)


def patches(before: Tree, after: Tree, element_id: str) -> list[Patch]:
    """Return what brings the element with this id from showing the tree `before` to showing the tree `after`."""
    return list(_children(before, after, element_id, element_id))


def _children(before: Tree, after: Tree, parent: str, prefix: str) -> Iterator[Patch]:
    for index, (old, new) in enumerate(zip(before, after, strict=False)):
        if old is not new and old != new:
            yield from _element(old, new, f"{prefix}{index}")
    for index in range(len(after), len(before)):
        yield Patch(f"{prefix}{index}", "", "delete")
    if len(after) > len(before):
        yield Patch(parent, _render_all(after[len(before) :], prefix, len(before)), "beforeend")


def _element(old: Node, new: Node, element_id: str) -> Iterator[Patch]:
    if old.tag != new.tag:
        yield Patch(element_id, _render(new, element_id), "outerHTML")
    elif old.html == new.html:
        yield from _children(old.children, new.children, element_id, f"{element_id}_")
    elif new.html.startswith(old.html) and not old.children:
        added = new.html[len(old.html) :] + _render_all(new.children, f"{element_id}_")
        yield Patch(element_id, added, "beforeend")
    else:
        yield Patch(element_id, _render(new, element_id))


def _render_all(nodes: Tree, prefix: str, first: int = 0) -> str:
    return "".join(
        _render(node, f"{prefix}{at}" if prefix else "") for at, node in zip(count(first), nodes, strict=False)
    )


def _render(node: Node, element_id: str) -> str:
    own = f' id="{escape(element_id)}"' if element_id else ""
    name, _, attributes = node.tag.partition(" ")
    start = f"<{name}{own}{' ' if attributes else ''}{attributes}>"
    if name == "hr":
        return start
    if name == "span" and not own:  # a part of a text: without an id, it is nobody's target
        start, end = "", ""
    else:
        end = f"</{name}>"
    return start + node.html + _render_all(node.children, f"{element_id}_" if element_id else "") + end
