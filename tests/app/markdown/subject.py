"""The reader that is judged, as a page uses it: one place to put another one in."""

from __future__ import annotations

from collections.abc import Iterator

from app.markdown import Growing, Tree, patches, read, render

ID = "section-price"
NUMBERS = {"s1": 1, "s2": 2, "s3": 2}


def show(text: str, complete: bool) -> str:
    """Return what a page shows of a text, without ids."""
    return render(read(text, NUMBERS, complete))


def page(text: str, complete: bool = False) -> str:
    """Return the HTML of a page that is loaded when the text is this long."""
    return f'<div id="{ID}">{render(read(text, NUMBERS, complete), ID)}</div>'


def change(before: str, after: str) -> str:
    """Return the message for a page that shows one length of a text and is to show a later one."""
    return _message(read(before, NUMBERS, False), read(after, NUMBERS, False))


def follow(lengths: Iterator[str]) -> Iterator[str]:
    """Yield the messages for a page that follows a text through its lengths."""
    growing, shown = Growing(NUMBERS), Tree()
    for text in lengths:
        now = growing.read(text, False)
        yield _message(shown, now)
        shown = now


def _message(before: Tree, after: Tree) -> str:
    return "".join(patch.encode() for patch in patches(before, after, ID))
