"""A Markdown text read into its blocks, and the blocks drawn as a tree, also of a text that is still being written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from typing import Any

import nh3
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from app.content.citations import Numbers
from app.markdown.reader import READER, heading_tag
from app.markdown.runs import Run, read_runs
from app.markdown.tree import Node, Tree

Block = SyntaxTreeNode
LINES = 8
"""Lines of code that are sent together."""
CONTAINERS = ("bullet_list", "ordered_list", "list_item", "blockquote")
_DASHES = re.compile(r"[ \t|:-]*")
_RENDERER: Any = READER.renderer
_CLEANER = nh3.Cleaner(
    tags={"br", "em", "strong", "s", "code", "a", "sup"},
    attributes={"a": {"href", "rel", "aria-label"}, "sup": {"class"}},
    url_schemes={"http", "https"},
    link_rel=None,
)


@dataclass(slots=True)
class Reading:
    """One reading of a text. `joined` is the line in which a text goes on from its first character, which is none of
    it; `env` is that of the reader.

    The `meta` of a block tells how many elements come `before` it in the one around it, how many runs, rows or groups
    of lines are `shown` of it, where its `runs` begin, and whether it `is_head`: the text of the item around it.
    """

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
        self.blocks = Block(tokens).children
        self.tree = tuple(self._draw_all(self.blocks))

    def _draw_all(self, blocks: list[Block], before: int = 0) -> Iterator[Node]:
        for block in blocks:
            block.meta["before"] = before
            for node in self._draw(block):
                yield node
                before += 1

    def _draw(self, block: Block) -> Iterator[Node]:
        match block.type:
            case "paragraph" | "heading":
                head, others = self._draw_text(block)
                if head or others:
                    yield Node(heading_tag(block.tag), head, others)
            case "list_item":
                yield self._draw_item(block)
            case "table":
                yield self._draw_table(block)
            case "fence" | "code_block":
                groups = _draw_code(block.content)
                block.meta["shown"] = len(groups)
                yield Node('pre tabindex="0"', "", (Node("code", "", groups),))
            case "hr":
                yield Node("hr")
            case _:
                start = f' start="{block.attrs["start"]}"' if "start" in block.attrs else ""
                yield Node(block.tag + start, "", tuple(self._draw_all(block.children)))

    def _draw_item(self, block: Block) -> Node:
        """Draw an item. The paragraph with which it begins is its text alone."""
        if not block.children or block.children[0].type != "paragraph":
            return Node("li", "", tuple(self._draw_all(block.children)))
        block.children[0].meta["is_head"] = True
        head, others = self._draw_text(block.children[0])
        return Node("li", head, (*others, *self._draw_all(block.children[1:], len(others))))

    def _draw_text(self, block: Block) -> tuple[str, Tree]:
        """Draw a paragraph or a heading: its first run, which may be empty, and the others."""
        content, is_open = block.children[0].content, self._is_open(block)
        if is_open and block.type == "paragraph":
            content = _before_table(content, self.text.endswith("\n"))
        if line_of(block) == self.joined:
            content = content[1:]
        runs = list(read_runs(READER, content, self.numbers, is_open))
        html = [_draw_run(run) for run in runs]
        html = html if html[-1] else html[:-1]
        block.meta["runs"] = [run.start for run in runs[: len(html)]]
        block.meta["shown"] = len(html) if is_open else 0
        return "".join(html[:1]), _spans(html[1:])

    def _draw_table(self, block: Block) -> Node:
        rows = [self._draw_row(row) for part in block.children for row in part.children]
        block.meta["shown"] = len(rows) - 1
        body = (Node("tbody", "", tuple(Node("tr", row) for row in rows[1:])),) if rows[1:] else ()
        return Node('table tabindex="0"', "", (Node("thead", f"<tr>{rows[0]}</tr>"), *body))

    def _draw_row(self, row: Block) -> str:
        cells = []
        for cell in row.children:
            (text,) = cell.children
            runs = read_runs(READER, text.content, self.numbers, self._is_open(row) and "is_last" in text.meta)
            cells.append(f"<{cell.tag}>{''.join(map(_draw_run, runs))}</{cell.tag}>")
        return "".join(cells)

    def _is_open(self, block: Block) -> bool:
        """Return whether what comes next may go on with the text of this block."""
        if self.complete or block.map is None or block.map[1] < self._lines:
            return False
        return block.type == "paragraph" or (block.markup not in ("=", "-") and not self.text.endswith("\n"))


def line_of(block: Block) -> int:
    return block.map[0] if block.map else 0


def _before_table(text: str, is_line_whole: bool) -> str:
    """Return the lines of a paragraph before those that would be a table's head if a line of dashes followed."""
    lines = text.rsplit("\n", 2)
    may_be_head = [line.lstrip(" \t").startswith("|") for line in lines]
    if not is_line_whole and len(lines) > 1 and may_be_head[-2] and _DASHES.fullmatch(lines[-1]):
        return "\n".join(lines[:-2])
    return "\n".join(lines[:-1]) if may_be_head[-1] else text


def _draw_code(code: str) -> Tree:
    lines = code.split("\n")
    ended = [f"{line}\n" for line in lines[:-1]] + lines[-1:]
    groups = ("".join(ended[at : at + LINES]) for at in range(0, len(ended), LINES))
    return _spans([_CLEANER.clean(escape(group, quote=False)) for group in groups if group])


def _draw_run(run: Run) -> str:
    if run.part.html is None:
        run.part.html = _CLEANER.clean(_RENDERER.renderInline(run.part.tokens, READER.options, {}))
    return run.part.html


def _spans(parts: list[str]) -> Tree:
    return tuple(Node("span", part) for part in parts)
