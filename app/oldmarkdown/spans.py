"""Markdown as the page reads it, for files that are no HTML: the tree of its blocks, and their text in spans."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, Literal, NamedTuple

from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from app.content.citations import Numbers
from app.oldmarkdown.grammar import PARSER
from app.oldmarkdown.parsing import parse

Kind = Literal["text", "code", "citation", "soft", "hard"]
Mark = tuple[Literal["em", "strong", "s", "link"], str]
"""How a span looks; of a link also where it leads."""

_PLAIN: Any = PARSER.renderer
_NO_LINK: Mark = ("link", "")
_NAMES: dict[str, Literal["em", "strong", "s", "link"]] = {"em": "em", "strong": "strong", "s": "s", "link": "link"}
_KINDS: dict[str, Kind] = {
    "code_inline": "code",
    "citation": "citation",
    "softbreak": "soft",
    "hardbreak": "hard",
    "image": "text",
}


class Span(NamedTuple):
    """A piece of text, and its marks, the outermost first. A break ends all marks; they begin again after it."""

    kind: Kind
    text: str = ""
    marks: tuple[Mark, ...] = ()


def read_tree(markdown: str, numbers: Numbers) -> SyntaxTreeNode:
    """The blocks of finished Markdown below one root. Their texts are `inline` nodes."""
    return SyntaxTreeNode(parse(markdown, numbers))


def read_spans(token: Token) -> list[Span]:
    """What an inline token shows, without anything empty. Citations that stand together are one: `1, 2`."""
    spans = []
    for (kind, marks), group in groupby(_read(token), lambda span: (span.kind, span.marks)):
        text = (", " if kind == "citation" else "").join(span.text for span in group)
        spans.append(Span(kind, text, marks))
    return spans


def _read(token: Token) -> Iterator[Span]:
    marks: list[Mark] = []
    for child in token.children or []:
        name = _NAMES.get(child.type.rpartition("_")[0])
        if name and child.nesting > 0:
            if name == "link":
                # An address in brackets inside a link ends that one: as in HTML, no link holds another.
                marks = [_NO_LINK if mark[0] == "link" else mark for mark in marks]
            marks.append((name, str(child.attrGet("href") or "")))
        elif name:
            marks.pop()
        else:
            kind = _KINDS.get(child.type, "text")
            text = child.content
            if child.type == "image":
                text = _PLAIN.renderInlineAsText(child.children, PARSER.options, {})
            if kind in ("soft", "hard"):
                yield Span(kind)
            elif text:
                yield Span(kind, text, tuple(mark for mark in dict.fromkeys(marks) if mark != _NO_LINK))
