"""Fragments of a page, and the patches that bring a page from one cursor to a later one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from app.contract.cursors import START, parse_cursor
from app.contract.run import Run

Position = tuple[int, int]
"""A cursor that can be compared."""
order: Callable[[str], Position] = parse_cursor
"""Return a cursor as something to compare."""


@dataclass(frozen=True, slots=True, eq=False)
class Fragment:
    """One element of a page that is patched on its own.

    `id` is its DOM id, unique on the page and stable. `born` is the cursor at which it came to be (`START` for what is
    always there), `changed` that of the last change of what it shows itself: its children's changes do not count, but
    one that goes, or that takes another place among the old ones, does. `render` gives the whole element, children
    included. `head` and `tail` are the DOM ids of the markers before the first and after the last child, where new
    children come in. `newest` is the last change of this element or of anything inside it; `is_fallback` says that this
    element, or one inside it, stands in for one that could not be built.

    An element whose text grows has `grow`: it returns the patches from an earlier position to now. `grown` is when it
    last grew, which is no change in the sense of `changed`.
    """

    id: str
    born: str
    changed: str
    render: Callable[[], str]
    children: tuple[Fragment, ...] = ()
    head: str = ""
    tail: str = ""
    is_fallback: bool = False
    grown: str = START
    grow: Callable[[Position], list[Patch]] | None = None
    newest: Position = field(init=False)

    def __post_init__(self) -> None:
        own = max(order(self.born), order(self.changed), order(self.grown))
        object.__setattr__(self, "newest", max((own, *(child.newest for child in self.children))))
        if any(child.is_fallback for child in self.children):
            object.__setattr__(self, "is_fallback", True)


Swap = Literal["outerMorph", "outerHTML", "beforebegin", "beforeend", "afterend", "delete"]


@dataclass(frozen=True, slots=True)
class Patch:
    """HTML for the place of the element `target`, before or after it, or at its end; with `delete`, its removal."""

    target: str
    html: str
    swap: Swap = "outerMorph"


def latest(cursors: Iterable[str]) -> str:
    """Return the last of some cursors; `START` without any."""
    return max(cursors, key=order, default=START)


def patches(roots: Sequence[Fragment], after: str) -> list[Patch]:
    """Return the patches that bring a page rendered at the cursor `after` to these fragments."""
    found: list[Patch] = []
    position = order(after)
    for fragment in roots:
        _patch(fragment, position, found)
    return found


def cursor_of(run: Run, roots: Sequence[Fragment]) -> str:
    """Return the cursor of a page of these fragments; `START` if one is a fallback, so that the page is sent again."""
    return START if any(fragment.is_fallback for fragment in roots) else run.cursor


def replacements(roots: Sequence[Fragment]) -> list[Patch]:
    """Return the patches that bring any page of this kind to these fragments, whatever it shows."""
    return [Patch(fragment.id, fragment.render()) for fragment in roots]


def render_patches(found: Iterable[Patch]) -> str:
    """Render the patches as one message for the browser; empty without patches."""
    return "".join(
        f'<hx-partial hx-target="#{escape(patch.target)}" hx-swap="{patch.swap}">{patch.html}</hx-partial>'
        for patch in found
    )


def _patch(fragment: Fragment, after: Position, found: list[Patch]) -> None:
    if fragment.newest <= after:
        return
    if order(fragment.changed) > after:
        found.append(Patch(fragment.id, fragment.render()))
        return
    if fragment.grow is not None:
        found += fragment.grow(after)
        return
    new = [order(child.born) > after for child in fragment.children]
    if any(new):
        addition = _addition(fragment, new)
        if addition is None:
            found.append(Patch(fragment.id, fragment.render()))
            return
        found.append(addition)
    for child, is_new in zip(fragment.children, new, strict=True):
        if not is_new:
            _patch(child, after, found)


def _addition(fragment: Fragment, new: list[bool]) -> Patch | None:
    """Return one patch with the new children alone, if all of them are at the end where this fragment grows."""
    count = sum(new)
    if fragment.head and all(new[:count]):
        return Patch(fragment.head, _render(fragment.children[:count]), "afterend")
    if not all(new[-count:]):
        return None
    if fragment.tail:
        return Patch(fragment.tail, _render(fragment.children[-count:]), "beforebegin")
    if count < len(new):
        return Patch(fragment.children[-count - 1].id, _render(fragment.children[-count:]), "afterend")
    return None


def _render(fragments: Iterable[Fragment]) -> str:
    return "".join(fragment.render() for fragment in fragments)
