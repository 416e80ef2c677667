"""Inline text written as Markdown that shows it and nothing else, in whatever reads the file.

What is text stays text: no HTML, no reference and no link begins in it. `<` and `&` are entities, as not every reader
of Markdown knows a backslash before them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby, pairwise
from string import ascii_letters, punctuation
from typing import NamedTuple

from markdown_it.common.normalize_url import normalizeLink

from app.oldmarkdown.spans import Kind, Mark, Span

_SPECIAL = re.compile(r"[\\`*_~\[\]|]")
_ENTITY = re.compile(r"&(?=[#\w]|$)")
_LINE_START = re.compile(r"^([ \t]*)(?:(?=[#+=>:-])|(\d{1,9})(?=[.)]))", re.MULTILINE)
_SIGNS = {"em": "_", "strong": "**", "s": "~~"}
_LEAVES_A_CITATION = ("(", ":")
"""After `[1]` these would make it a link, or the definition of one."""


class _Piece(NamedTuple):
    """Written Markdown. `sign` is 1 where it begins emphasis, -1 where it ends it, and 0 for all else."""

    text: str
    sign: int = 0


def escape_text(text: str) -> str:
    """Text of the web or of a model, in one line, as Markdown that shows it; not for the start of a line."""
    text = _ENTITY.sub("&amp;", re.sub(r"[\t\n\r]", " ", text)).replace("<", "&lt;")
    text = _SPECIAL.sub(r"\\\g<0>", text)
    return f"{text[:-1]}\\!" if text.endswith("!") else text


def escape_line_starts(text: str) -> str:
    """The lines of a paragraph, so that none begins a block of another kind."""
    return _LINE_START.sub(r"\1\2\\", text)


def write_address(url: str) -> str:
    """The address of a link, as it stands between parentheses."""
    return re.sub(r"[()\\]", r"\\\g<0>", normalizeLink(url).replace("&", "&amp;"))


def write_heading(level: int, text: str) -> str:
    """A heading of Markdown that is written already, in one line."""
    return ("#" * level + " " + re.sub(r"#$", r"\\#", text)).rstrip()


def write_spans(spans: Sequence[Span]) -> str:
    """The Markdown of the spans, without empty lines and without spaces around lines."""
    written = end = ""
    for is_break, group in groupby(spans, lambda span: span.kind in ("soft", "hard")):
        if is_break:
            end = "\\\n" if any(span.kind == "hard" for span in group) else "\n"
        elif line := _write_line(list(group)):
            written += end + line if written else line
    return written


def _write_line(spans: list[Span]) -> str:
    pieces: list[_Piece] = []
    for before, span in pairwise([Span("soft"), *spans]):
        pieces += [*_change_marks(before.marks, span.marks), _Piece(_write_span(span, before.kind))]
    return _join([*pieces, *_change_marks(spans[-1].marks, ())]).strip(" ")


def _write_span(span: Span, before: Kind) -> str:
    if span.kind == "code":
        return _write_code(span.text)
    if span.kind == "citation":
        return f"[{span.text}]" if before == "soft" else f" [{span.text}]"
    leaves = before == "citation" and span.text.startswith(_LEAVES_A_CITATION)
    return ("\\" if leaves else "") + escape_text(span.text)


def _write_code(text: str) -> str:
    ticks = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    padding = " " if text.strip(" ") and re.search("^[` ]|[` ]$", text) else ""
    return f"{ticks}{padding}{text}{padding}{ticks}"


def _change_marks(old: tuple[Mark, ...], new: tuple[Mark, ...]) -> list[_Piece]:
    """What ends and begins where the marks change: those outside that stay the same go on."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    closed = [_close_mark(mark) for mark in reversed(old[same:])]
    return closed + [_Piece(_SIGNS[name], 1) if name in _SIGNS else _Piece("[") for name, _ in new[same:]]


def _close_mark(mark: Mark) -> _Piece:
    name, href = mark
    return _Piece(_SIGNS[name], -1) if name in _SIGNS else _Piece(f"]({write_address(href)})")


def _join(pieces: list[_Piece]) -> str:
    """The pieces' text. Beside emphasis a character is an entity where its sign would not count as one otherwise."""
    pieces = [piece for piece in pieces if piece.text]
    texts = [piece.text for piece in pieces]
    for index, piece in enumerate(pieces):
        if not piece.sign:
            continue
        inside, outside = index + piece.sign, index - piece.sign
        # The last character before a sign, the first after it.
        inner, outer = (0, -1) if piece.sign > 0 else (-1, 0)
        if not pieces[inside].sign and texts[inside][inner].isspace():
            texts[inside] = _as_entity(texts[inside], inner)
        is_plain = piece.text != "_" and texts[inside][inner] in ascii_letters
        if not is_plain and 0 <= outside < len(texts) and _is_of_a_word(pieces[outside], outer):
            texts[outside] = _as_entity(texts[outside], outer)
    return "".join(texts)


def _is_of_a_word(piece: _Piece, at: int) -> bool:
    return not piece.sign and not piece.text[at].isspace() and piece.text[at] not in punctuation


def _as_entity(text: str, at: int) -> str:
    entity = f"&#{ord(text[at])};"
    return entity + text[1:] if at == 0 else text[:-1] + entity
