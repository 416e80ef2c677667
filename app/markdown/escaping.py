"""Text written as Markdown that shows it and nothing else, in whatever reads the file.

`<` and `&` become entities, as not every reader of Markdown knows a backslash before them.
"""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\`*_~\[\]|]")
_ENTITY = re.compile(r"&(?=[#\w]|$)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_LINE_START = re.compile(r"^[ \t]*(?:(?=[#+=>:-])|(\d{1,9})(?=[.)]))", re.MULTILINE)


def escape_text(text: str) -> str:
    """Return text of the web or of a model as Markdown that shows it in one line; not for the start of a line."""
    text = _CONTROL.sub("", re.sub(r"[\t\n\r]", " ", text))
    text = _SPECIAL.sub(r"\\\g<0>", _ENTITY.sub("&amp;", text).replace("<", "&lt;"))
    return f"{text[:-1]}\\!" if text.endswith("!") else text


def escape_line_starts(text: str) -> str:
    """Return the lines of a paragraph so that none begins a block of another kind."""
    return _LINE_START.sub(r"\1\\", text)


def write_heading(level: int, text: str) -> str:
    """Return a heading of Markdown that is written already, in one line."""
    return ("#" * level + " " + re.sub(r"#$", r"\\#", text)).rstrip()


def write_address(url: str) -> str:
    """Return the address of a link as it stands between parentheses."""
    return re.sub(r"[()\\]", r"\\\g<0>", url.replace("&", "&amp;"))
