"""Inline rules for text that is still being written: markup that may yet begin is held back, what is open is closed.

In a text that is complete they do nothing.
"""

from __future__ import annotations

import re

from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

from app.markdown.links import Links

_HELD = {
    "\\": re.compile(r"\\\Z"),
    "!": re.compile(r"!\Z"),
    "&": re.compile(r"&#?\w{0,32}\Z"),
    "<": re.compile(r"<(?:[a-zA-Z][a-zA-Z0-9+.-]{0,31}(?::[^<>\x00-\x20]*)?)?\Z"),
    **dict.fromkeys("*_~", re.compile(r"[*_~]+\Z")),
}
"""Beginnings of markup that the text may still complete, by their first character."""
_BEGUN_CODE = re.compile(r"`+ ?([^\n!&*<>\[\\\]_`~]*)")


def hold_back(state: StateInline, silent: bool) -> bool:
    """Leave out the rest of an open text where it may become markup."""
    if silent or not state.env.get("open"):
        return False
    links: Links = state.env["links"]
    char = state.src[state.pos]
    if char == "`" and state.pos in links.lone_ticks:
        _show_begun_code(state)
        return True
    held = _HELD.get(char)
    if state.pos < links.undecided and (held is None or not held.match(state.src, state.pos)):
        return False
    state.pos = state.posMax
    return True


def _show_begun_code(state: StateInline) -> None:
    """Show code that has begun as code, up to what would be markup if it never ends."""
    begun = _BEGUN_CODE.match(state.src, state.pos)
    if begun is not None and (code := begun[1].rstrip(" ")):
        state.push("code_inline", "code", 0).content = code
    state.pos = state.posMax


def close_emphasis(state: StateInline) -> None:
    """Show emphasis that has begun as emphasis."""
    if not state.env.get("open"):
        return
    for opener in [one for one in reversed(state.delimiters) if one.open and one.end < 0]:
        token = state.push("text", "", 0)
        token.content = state.tokens[opener.token].content
        opener.end = len(state.delimiters)
        state.delimiters.append(Delimiter(opener.marker, 0, len(state.tokens) - 1, -1, False, True))
