"""Escaping of plain text for Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\*\[\]<~|]|(?<!\w)_|_(?!\w)|`|&(?=#?\w+;)")
_LINE_START = re.compile(r"^(\s*)([#>+-]|\d{1,9}(?=[.)]))")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


def escape(text: str) -> str:
    """Return Markdown that renders as exactly `text`; code between a pair of backticks stays code."""
    balanced = text.count("`") % 2 == 0
    pieces = text.split("`") if balanced else [text]
    escaped = [piece if index % 2 else _SPECIAL.sub(r"\\\g<0>", piece) for index, piece in enumerate(pieces)]
    return _LINE_START.sub(_escape_start, "`".join(escaped))


def _escape_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark}\\" if mark.isdigit() else f"{space}\\{mark}"


def unescape(markdown: str) -> str:
    """Return the text that `escape` was called with."""
    return _ESCAPED.sub(r"\1", markdown)
