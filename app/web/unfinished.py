"""The open end of a Markdown text, so that half-written markup never flashes: it is closed, or held back."""

from __future__ import annotations

import re

_ITEM_START = re.compile(r"^[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]", re.MULTILINE)
_TICKS = re.compile(r"`+")
_HALF = (
    re.compile(r"<[A-Za-z][^<>\s]*\Z"),  # an address in angle brackets
    re.compile(r"&#?\w{0,31}\Z"),  # a character reference
    re.compile(r"!?\[[^\[\]]*\]\([^()]*\Z"),  # a link whose address is not there yet
    re.compile(r"!?\[[^\[\]]*\Z"),  # a link's text, or a citation
    re.compile(r"(?:!|!?\[(?!s\d+(?:\s*[,;]\s*s\d+)*\])[^\[\]]*\])\Z"),  # perhaps a link's text
    re.compile(r"\\+\Z"),
)
_MARKS = re.compile(r"\\.|(\*{1,3}|_{1,3}|~~)", re.DOTALL)


def settle(text: str) -> str:
    """The text of an open block as it can be shown now."""
    if re.match(r" {0,3}(?:`{3}|~{3})", text):
        return text
    if text.lstrip().startswith("|") and not re.search(r"^[ \t]*\|[ \t:|-]*-[ \t:|-]*\n", text, re.MULTILINE):
        return ""
    items = [match.end() for match in _ITEM_START.finditer(text)]
    start = items[-1] if items else 0
    return text[:start] + _settle_inline(text[start:])


def _settle_inline(text: str) -> str:
    code = _open_code(text)
    if code is not None:
        opened, ticks = code
        if opened + len(ticks) == len(text):
            return _settle_inline(text[:opened].rstrip()) if opened else ""
        return text.rstrip("`") + ticks + _closers(text[:opened])
    held = text
    while True:
        shorter = held.rstrip()
        for half in _HALF:
            shorter = half.sub("", shorter)
        shorter = re.sub(r"[*_~]+\Z", "", shorter)
        if shorter == held:
            break
        held = shorter
    return held + _closers(held)


def _open_code(text: str) -> tuple[int, str] | None:
    """Where a code span begins that has no end, and its ticks."""
    opened: tuple[int, str] | None = None
    for match in _TICKS.finditer(text):
        if opened is None:
            opened = match.start(), match[0]
        elif match[0] == opened[1]:
            opened = None
    return opened


def _closers(text: str) -> str:
    """The marks that close what emphasis is open at the end of the text."""
    stack: list[str] = []
    plain = re.sub(r"(`+)(?:(?!\1).)*\1", lambda m: "x" * len(m[0]), text, flags=re.DOTALL)
    for match in _MARKS.finditer(plain):
        mark = match[1]
        if mark is None:
            continue
        before, after = plain[match.start() - 1 : match.start()], plain[match.end() : match.end() + 1]
        if before.strip() and mark in stack and (mark[0] != "_" or not after.isalnum()):
            del stack[stack.index(mark) :]
        elif after.strip() and (mark[0] != "_" or not before.isalnum()):
            stack.append(mark)
    return "".join(reversed(stack))
