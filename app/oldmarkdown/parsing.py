"""Finished Markdown as tokens, read as the page reads it, for files that are no HTML."""

from __future__ import annotations

from collections.abc import Iterator

from markdown_it.token import Token

from app.content.citations import Numbers
from app.oldmarkdown.blocks import kind_of, split_blocks
from app.oldmarkdown.grammar import PARSER
from app.oldmarkdown.nesting import (
    Inner,
    first_number,
    read_item,
    read_items,
    read_quotation,
)
from app.oldmarkdown.pieces import DEEPEST


def parse(markdown: str, numbers: Numbers) -> list[Token]:
    """The tokens of all blocks, with citations as `citation` tokens that hold a source's number."""
    return [token for block in split_blocks(markdown, True) for token in _read(block.text, numbers, 0)]


def _read(text: str, numbers: Numbers, depth: int) -> Iterator[Token]:
    kind = kind_of(text)
    if kind == "text":
        yield from _paragraph(text, numbers)
    elif kind == "quote" and depth < DEEPEST:
        yield Token("blockquote_open", "blockquote", 1)
        yield from _blocks(read_quotation(text), numbers, depth)
        yield Token("blockquote_close", "blockquote", -1)
    elif kind.startswith("list") and depth < DEEPEST:
        yield from _list(text, numbers, depth)
    else:
        yield from PARSER.parse(text, {"numbers": numbers})


def _list(text: str, numbers: Numbers, depth: int) -> Iterator[Token]:
    number = first_number(text)
    name, tag = ("bullet_list", "ul") if number is None else ("ordered_list", "ol")
    yield Token(f"{name}_open", tag, 1, attrs={} if number in (None, 1) else {"start": number})
    for item in read_items(text):
        yield Token("list_item_open", "li", 1)
        yield from _blocks(read_item(item.text), numbers, depth)
        yield Token("list_item_close", "li", -1)
    yield Token(f"{name}_close", tag, -1)


def _blocks(inside: list[Inner], numbers: Numbers, depth: int) -> Iterator[Token]:
    for inner in inside:
        yield from _read(inner.block.text, numbers, depth + 1)


def _paragraph(text: str, numbers: Numbers) -> Iterator[Token]:
    yield Token("paragraph_open", "p", 1)
    yield from PARSER.parseInline(text.strip(), {"numbers": numbers})
    yield Token("paragraph_close", "p", -1)
