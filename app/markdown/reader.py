"""The Markdown of models: CommonMark with tables, strikethrough and citations, without raw HTML and references."""

from __future__ import annotations

from copy import copy
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from app.content.citations import CITATION, cited_numbers
from app.content.urls import is_web_address
from app.markdown.healing import close_emphasis, hold_back
from app.markdown.links import Link
from app.markdown.runs import find_ends, read_runs, read_text
from app.markdown.tables import read_table

DEEPEST = 60
"""Lists, items and quotations inside each other; what stands deeper is left out, as by other readers."""


def _build() -> MarkdownIt:
    md = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST}).enable(["table", "strikethrough"])
    # A reference would let a later block change an earlier one.
    md.disable(["reference", "html_block", "html_inline"])
    md.validateLink = is_web_address  # type: ignore[method-assign]  # replaced on this one reader
    md.block.ruler.at("table", read_table, {"alt": ["paragraph"]})
    md.block.ruler.before("table", "note_margin", note_margin)
    md.inline.ruler.at("text", read_text)
    md.inline.ruler.before("escape", "hold_back", hold_back)
    md.inline.ruler.before("link", "citation", cite)
    md.inline.ruler.at("link", read_link)
    md.inline.ruler.at("image", read_image)
    md.inline.ruler2.after("balance_pairs", "find_ends", find_ends)
    md.inline.ruler2.after("find_ends", "close_emphasis", close_emphasis)
    md.core.ruler.at("inline", read_inline)
    md.core.ruler.push("demote", demote)
    for name, rule in _RENDERERS.items():
        md.add_render_rule(name, rule)
    return md


def note_margin(state: StateBlock, start: int, _end: int, silent: bool) -> bool:
    """Note how the line in which a block begins goes up to it, and how far that is inside of what is around it."""
    if not silent and "margins" in state.env:
        place = state.bMarks[start] + state.tShift[start]
        state.env["margins"][start, state.level] = (place, max(0, state.sCount[start] - state.blkIndent))
    return False


def read_inline(state: StateCore) -> None:
    """Read the inline text of all blocks, in runs."""
    for token in state.tokens:
        if token.type == "inline":
            runs = read_runs(state.md, token.content, state.env.get("numbers", {}))
            token.children = [copy(child) for run in runs for child in run.part.tokens]


def cite(state: StateInline, silent: bool) -> bool:
    """A citation: the number stands at the word before it."""
    match = CITATION.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        state.pending = state.pending.rstrip()
        for number in cited_numbers(match[1], state.env.get("numbers", {})):
            token = state.push("citation", "sup", 0)
            token.content, token.meta = str(number), {"is_linked": state.linkLevel > 0}
    state.pos = match.end()
    return True


def read_link(state: StateInline, silent: bool) -> bool:
    """A link that `find_links` found."""
    link: Link | None = state.env["links"].found.get(state.pos)
    if link is None or link.is_image or link.end > state.posMax:
        return False
    if not silent:
        stop = state.posMax
        state.pos, state.posMax = state.pos + 1, link.label_end
        state.push("link_open", "a", 1).attrs = {"href": link.href}
        state.linkLevel += 1
        state.md.inline.tokenize(state)
        state.linkLevel -= 1
        state.push("link_close", "a", -1)
        state.posMax = stop
    state.pos = link.end
    return True


def read_image(state: StateInline, silent: bool) -> bool:
    """An image that `find_links` found. Its text stands for it."""
    link: Link | None = state.env["links"].found.get(state.pos + 1)
    if state.src[state.pos] != "!" or link is None or not link.is_image or link.end > state.posMax:
        return False
    if not silent:
        label = state.src[state.pos + 2 : link.label_end]
        token = state.push("image", "img", 0)
        token.attrs = {"src": link.href, "alt": ""}
        token.content = label
        token.children = [child for run in read_runs(state.md, label, {}) for child in run.part.tokens]
    state.pos = link.end
    return True


def demote(state: StateCore) -> None:
    """A section's own headings stand below its title."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = heading_tag(token.tag)


def heading_tag(tag: str) -> str:
    return {"p": "p", "h1": "h3", "h2": "h3", "h3": "h3"}.get(tag, "h4")


def _render_citation(_self: Any, tokens: Any, index: int, _options: Any, _env: Any) -> str:
    number = escape(tokens[index].content)
    if tokens[index].meta["is_linked"]:  # no link holds another
        return f'<sup class="cite">{number}</sup>'
    return f'<sup class="cite"><a href="#source-{number}" aria-label="Source {number}">{number}</a></sup>'


def _render_link(_self: Any, tokens: Any, index: int, _options: Any, _env: Any) -> str:
    return f'<a href="{escape(str(tokens[index].attrGet("href") or ""))}" rel="nofollow noopener">'


def _render_image(renderer: Any, tokens: Any, index: int, options: Any, env: Any) -> str:
    return escape(str(renderer.renderInlineAsText(tokens[index].children, options, env)))


_RENDERERS = {
    "citation": _render_citation,
    "link_open": _render_link,
    "image": _render_image,
}

READER = _build()
"""Reads finished texts with `env` {numbers: source numbers by passage}."""
