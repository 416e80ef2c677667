"""The Markdown that is read here: CommonMark with tables and strikethrough, without what a later line could change."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from app.content.citations import CITATION, cited_numbers
from app.oldmarkdown.links import is_web_address
from app.oldmarkdown.unfinished import read_runs

_MOST_COLUMNS, MOST_CELLS = 40, 20_000
"""Larger tables are text: rows of two characters would become elements for every column."""
_DELIMITERS = re.compile(r"[ \t|:-]*")


def _build() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    # References would let a later block change an earlier one; the others need more than one line to be known.
    parser.disable(["reference", "lheading", "code"])
    parser.validateLink = is_web_address  # type: ignore[method-assign]  # replaced on this one parser
    parser.block.ruler.at("table", _read_table, {"alt": ["paragraph"]})
    parser.inline.ruler.before("link", "citation", _cite)
    parser.core.ruler.at("inline", _read_inline)
    parser.core.ruler.before("inline", "hold_back", _hold_back)
    parser.core.ruler.push("demote", _demote)
    parser.core.ruler.push("space_items", _space_items)
    parser.add_render_rule("citation", _render_citation)
    parser.add_render_rule("link_open", _render_link)
    parser.add_render_rule("image", _render_image)
    return parser


def _read_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table whose lines begin with a pipe. Any other line would be a paragraph until the next one came."""
    begin = state.bMarks[start] + state.tShift[start]
    columns = state.src.count("|", begin, state.eMarks[start])
    if state.src[begin : begin + 1] != "|" or columns > _MOST_COLUMNS or columns * (end - start) > MOST_CELLS:
        return False
    return table(state, start, end, silent)


def _cite(state: StateInline, silent: bool) -> bool:
    match = CITATION.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        # The number stands at the word it belongs to.
        state.pending = state.pending.rstrip()
        for number in cited_numbers(match[1], state.env.get("numbers", {})):
            state.push("citation", "sup", 0).content = str(number)
    state.pos = match.end()
    return True


def _hold_back(state: StateCore) -> None:
    """Of a text that goes on, leave out what may become a table, and mark the inline text that is still open."""
    if not state.env.get("open"):
        return
    _drop_empty_table(state.tokens)
    last = next((token for token in reversed(state.tokens) if token.content or token.type == "hr"), None)
    if last is not None and last.type == "inline":
        before = state.tokens[state.tokens.index(last) - 1]
        if before.type == "paragraph_open":
            last.content = _before_table(last.content)
        last.meta["open"] = True


def _drop_empty_table(tokens: list[Token]) -> None:
    """A table without rows, if it is the last thing: its line of dashes may go on."""
    end = next((at for at in range(len(tokens) - 1, -1, -1) if tokens[at].nesting >= 0), -1) + 1
    closing = next((at for at in range(end, len(tokens)) if tokens[at].type == "table_close"), -1)
    if closing > 0 and tokens[closing - 1].type == "thead_close":
        opening = next(at for at in range(closing, -1, -1) if tokens[at].type == "table_open")
        del tokens[opening : closing + 1]


def _before_table(text: str) -> str:
    """The lines of a paragraph before those that would be the head of a table if dashes followed."""
    lines = text.rsplit("\n", 2)
    for count in (1, 2):
        begun = lines[-count:]
        if len(begun) == count and begun[0].lstrip().startswith("|"):
            is_head = all(_DELIMITERS.fullmatch(line) for line in begun[1:])
            if is_head and not (count == 1 and len(lines) > 1 and _is_below_head(lines)):
                return "\n".join(lines[:-count])
    return text


def _is_below_head(lines: list[str]) -> bool:
    """Whether the last line may be the dashes below the one before it."""
    return bool(_DELIMITERS.fullmatch(lines[-1])) and lines[-2].lstrip().startswith("|")


def _read_inline(state: StateCore) -> None:
    """Read each inline text run by run, and of an open one only what can be shown."""
    for token in state.tokens:
        if token.type != "inline":
            continue
        children: list[Token] = []
        token.children = children
        is_open = bool(token.meta.get("open"))
        for run in read_runs(token.content):
            is_last = run.start + len(run.text) == len(token.content)
            text = run.settled if is_open and is_last else run.text
            found: list[Token] = []
            if run.plain:
                found.append(Token("text", "", 0, content=text))
            else:
                state.md.inline.parse(text, state.md, state.env, found)
            children.extend(found)


def _demote(state: StateCore) -> None:
    """A section's own headings stand below its title."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag in ("h1", "h2", "h3") else "h4"


def _space_items(state: StateCore) -> None:
    """A paragraph with which an item begins is its text alone, unless another one follows it. Whether blank lines stand
    anywhere in the list does not matter."""
    for token in state.tokens:
        if token.type in ("paragraph_open", "paragraph_close"):
            token.hidden = False
    for before, first, _, end, after in zip(*(state.tokens[at:] for at in range(5)), strict=False):
        if before.type == "list_item_open" and first.type == "paragraph_open":
            first.hidden = end.hidden = after.type != "paragraph_open"


def _render_citation(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    number = escape(tokens[index].content)
    return f'<sup class="cite"><a href="#source-{number}" aria-label="Source {number}">{number}</a></sup>'


def _render_link(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return f'<a href="{escape(str(tokens[index].attrGet("href") or ""))}" rel="nofollow noopener">'


def _render_image(renderer: Any, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    return escape(str(renderer.renderInlineAsText(tokens[index].children, options, env)))


PARSER = _build()
"""Reads with `env` {numbers: source numbers by passage, open: whether the text goes on}."""


def read_structure(text: str) -> list[Token]:
    """The blocks of a text, without what is inside its lines."""
    tokens: list[Token] = []
    PARSER.block.parse(text, PARSER, {}, tokens)
    return tokens
