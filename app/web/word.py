"""A post as a Word document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from typing import Any

from docx import Document
from markdown_it.token import Token

from app.contract.content import Post
from app.web.markdown import Numbers, parse

_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_LISTS = {"bullet_list_open": "List Bullet", "ordered_list_open": "List Number"}


def write_word(post: Post, numbers: Numbers) -> bytes:
    """The document's bytes. Citations are superscript numbers of the sources at its end."""
    document = Document()
    document.core_properties.title = _clean(post.title)
    document.add_heading(_clean(post.title), level=0)
    if post.summary:
        document.add_paragraph(style="Subtitle").add_run(_clean(post.summary))
    for section in post.sections:
        document.add_heading(_clean(section.heading), level=1)
        _add_blocks(document, parse(section.markdown, numbers))
    for missing in post.missing:
        document.add_heading(_clean(missing.heading), level=1)
        document.add_paragraph().add_run("This section could not be written.").italic = True
    if post.sources:
        document.add_heading("Sources", level=1)
        for source in post.sources:
            document.add_paragraph(_clean(f"{source.number}. {source.title} – {source.url}"))
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _add_blocks(document: Any, tokens: list[Token]) -> None:
    styles: list[str] = []
    for token, following in _with_next(tokens):
        if token.type in _LISTS:
            styles.append(_LISTS[token.type])
        elif token.type == "blockquote_open":
            styles.append("Quote")
        elif token.type in ("bullet_list_close", "ordered_list_close", "blockquote_close"):
            styles.pop()
        elif token.type == "heading_open":
            _add_inline(document.add_heading(level=2 if token.tag == "h3" else 3), following)
        elif token.type in ("paragraph_open", "th_open", "td_open"):
            _add_inline(document.add_paragraph(style=styles[-1] if styles else None), following)
        elif token.type == "fence":
            document.add_paragraph(_clean(token.content.rstrip("\n")))


def _add_inline(paragraph: Any, token: Token | None) -> None:
    bold = italic = 0
    for part in (token.children or []) if token is not None else []:
        match part.type:
            case "strong_open" | "strong_close":
                bold += part.nesting
            case "em_open" | "em_close":
                italic += part.nesting
            case "text" | "code_inline" | "image" | "softbreak" | "hardbreak" | "citation":
                text = part.content if part.type not in ("softbreak", "hardbreak") else " "
                run = paragraph.add_run(_clean(text))
                run.bold, run.italic = bold > 0 or None, italic > 0 or None
                run.font.superscript = True if part.type == "citation" else None
            case _:
                pass


def _with_next(tokens: list[Token]) -> Iterator[tuple[Token, Token | None]]:
    yield from zip(tokens, [*tokens[1:], None], strict=True)


def _clean(text: str) -> str:
    """Without the control characters that no XML can hold."""
    return _UNFIT.sub("", text)
