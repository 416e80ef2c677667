"""A Markdown text read into its blocks, and the blocks drawn as a tree, also of a text that is still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from typing import Any

import nh3
from markdown_it.token import Token

from app.content.citations import Numbers
from app.markdown.reader import READER, heading_tag
from app.markdown.runs import Run, read_runs
from app.markdown.tree import Node, Tree

LINES = 8
"""Lines of code that are sent together."""
CONTAINERS = {
    "bullet_list_open": "ul",
    "ordered_list_open": "ol",
    "list_item_open": "li",
    "blockquote_open": "blockquote",
}
_TEXTS = ("paragraph_open", "heading_open")
_CODE = ("fence", "code_block")
_DASHES = re.compile(r"[ \t|:-]*")
_RENDERER: Any = READER.renderer
_CLEANER = nh3.Cleaner(
    tags={"br", "em", "strong", "s", "code", "a", "sup"},
    attributes={"a": {"href", "rel", "aria-label"}, "sup": {"class"}},
    url_schemes={"http", "https"},
    link_rel=None,
)


@dataclass(slots=True)
class Block:
    """A block, the blocks inside it, and what is drawn.

    `before` is how many elements precede it in the one around it, `shown` how many runs, rows or groups of lines there
    are of it, and `runs` where those of a text begin. A paragraph that `is_head` is the text of the item around it.
    """

    tokens: list[Token]
    line: int
    inside: list[Block] = field(default_factory=list)
    before: int = 0
    shown: int = 0
    is_head: bool = False
    runs: list[int] = field(default_factory=list)

    @property
    def kind(self) -> str:
        return self.tokens[0].type


@dataclass(slots=True)
class Reading:
    """One reading of a text. `joined` is the line in which a text goes on from its first character, which is none of
    it; `env` is that of the reader."""

    text: str
    numbers: Numbers
    complete: bool
    joined: int = -1
    env: dict[str, Any] = field(default_factory=dict)
    blocks: list[Block] = field(init=False)
    tree: Tree = field(init=False)
    _lines: int = field(init=False)

    def __post_init__(self) -> None:
        tokens: list[Token] = []
        READER.block.parse(self.text, READER, self.env, tokens)
        self._lines = self.text.count("\n") + (not self.text.endswith("\n"))
        self.blocks = list(_group(tokens))
        self.tree = tuple(self._draw_all(self.blocks))

    def content_of(self, block: Block) -> str:
        """Return the inline text of a paragraph or a heading."""
        content = block.tokens[1].content
        if self._is_open(block) and block.kind == "paragraph_open":
            content = _before_table(content, self.text.endswith("\n"))
        return content[1:] if block.line == self.joined else content

    def _draw_all(self, blocks: list[Block], before: int = 0) -> Iterator[Node]:
        for block in blocks:
            block.before = before
            for node in self._draw(block):
                yield node
                before += 1

    def _draw(self, block: Block) -> Iterator[Node]:
        token = block.tokens[0]
        if token.type in _TEXTS:
            head, *others = self._draw_text(block)
            if head or others:
                yield Node(heading_tag(token.tag) if token.type == "heading_open" else "p", head, _spans(others))
        elif token.type == "list_item_open":
            yield self._draw_item(block)
        elif token.type in CONTAINERS:
            start = token.attrGet("start")
            tag = token.tag if start in (None, 1) else f'{token.tag} start="{int(start or 0)}"'
            yield Node(tag, "", tuple(self._draw_all(block.inside)))
        elif token.type == "table_open":
            yield from self._draw_table(block)
        elif token.type in _CODE:
            groups = _cut_lines(token.content)
            block.shown = len(groups)
            yield Node('pre tabindex="0"', "", (Node("code", "", _spans(groups)),))
        else:
            yield Node("hr")

    def _draw_item(self, block: Block) -> Node:
        """An item. The paragraph with which it begins is its text alone."""
        first = block.inside[0] if block.inside else None
        if first is None or first.kind != "paragraph_open":
            return Node("li", "", tuple(self._draw_all(block.inside)))
        first.is_head = True
        head, *others = self._draw_text(first)
        return Node("li", head, (*_spans(others), *self._draw_all(block.inside[1:], len(others))))

    def _draw_text(self, block: Block) -> list[str]:
        """Return the runs of a paragraph or a heading as HTML; the first one may be empty."""
        runs = list(read_runs(READER, self.content_of(block), self.numbers, self._is_open(block)))
        html = [_draw_run(run) for run in runs]
        html = html if len(html) == 1 or html[-1] else html[:-1]
        block.runs = [run.start for run in runs[: len(html)]]
        block.shown = len(html) if self._is_open(block) else 0
        return html

    def _draw_table(self, block: Block) -> Iterator[Node]:
        rows = [self._draw_row(row) for row in _rows(block.tokens)]
        block.shown = len(rows) - 1
        if rows:
            body = (Node("tbody", "", tuple(Node("tr", row) for row in rows[1:])),) if rows[1:] else ()
            yield Node('table tabindex="0"', "", (Node("thead", f"<tr>{rows[0]}</tr>"), *body))

    def _draw_row(self, row: list[Token]) -> str:
        is_open = not self.complete and not self.text.endswith("\n") and _end(row[0]) >= self._lines
        cells = []
        for cell, inline in pairwise(row):
            if inline.type == "inline":
                runs = read_runs(READER, inline.content, self.numbers, is_open and "is_last" in inline.meta)
                cells.append(f"<{cell.tag}>{''.join(map(_draw_run, runs))}</{cell.tag}>")
        return "".join(cells)

    def _is_open(self, block: Block) -> bool:
        """Return whether what comes next may go on with the text of this block."""
        if self.complete or _end(block.tokens[0]) < self._lines:
            return False
        return block.kind == "paragraph_open" or (block.tokens[0].markup[0] == "#" and not self.text.endswith("\n"))


def _group(tokens: list[Token]) -> Iterator[Block]:
    """Put the blocks of a list of tokens into those that hold them."""
    opened: list[Block] = []
    for token in tokens:
        holder = opened[-1] if opened else None
        if holder is not None and holder.kind not in CONTAINERS:
            holder.tokens.append(token)
        if token.nesting < 0 and holder is not None and token.level == holder.tokens[0].level:
            opened.pop()
        elif token.nesting >= 0 and (holder is None or holder.kind in CONTAINERS):
            block = Block([token], token.map[0] if token.map else 0)
            if holder is not None:
                holder.inside.append(block)
            if token.nesting > 0:
                opened.append(block)
            if holder is None:
                yield block


def _rows(tokens: list[Token]) -> Iterator[list[Token]]:
    row: list[Token] = []
    for token in tokens:
        if token.type == "tr_open":
            row = []
        row.append(token)
        if token.type == "tr_close":
            yield row


def _before_table(text: str, is_line_whole: bool) -> str:
    """Return the lines of a paragraph before those that would be a table's head if a line of dashes followed."""
    lines = text.rsplit("\n", 2)
    if (
        not is_line_whole
        and len(lines) > 1
        and _DASHES.fullmatch(lines[-1])
        and lines[-2].lstrip(" \t").startswith("|")
    ):
        return "\n".join(lines[:-2])
    return "\n".join(lines[:-1]) if lines[-1].lstrip(" \t").startswith("|") else text


def _end(token: Token) -> int:
    return token.map[1] if token.map else 0


def _cut_lines(code: str) -> list[str]:
    lines = code.split("\n")
    ended = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
    groups = ("".join(ended[at : at + LINES]) for at in range(0, len(ended), LINES))
    return [_CLEANER.clean(escape(group, quote=False)) for group in groups if group]


def _spans(parts: list[str]) -> Tree:
    return tuple(Node("span", part) for part in parts)


def _draw_run(run: Run) -> str:
    if run.part.html is None:
        run.part.html = _CLEANER.clean(_RENDERER.renderInline(run.part.tokens, READER.options, {}))
    return run.part.html
