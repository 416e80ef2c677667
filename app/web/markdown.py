"""Markdown of models as safe HTML, block by block.

Raw HTML is text here, images are their alternative text, links go to http and https only, and what comes out is
sanitised once more. `[s1]` and `[s1, s2]` are citations: they link to the numbered source, or vanish.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from app.web.citations import CITATION, Numbers, cited_numbers, cited_passages
from app.web.unfinished import settle

_CLEANER = nh3.Cleaner(
    tags={"p", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "em", "strong", "s", "a", "sup"}
    | {"table", "thead", "tbody", "tr", "th", "td", "div"},
    attributes={"a": {"href", "rel", "aria-label"}, "sup": {"class"}, "ol": {"start"}},
    url_schemes={"http", "https"},
    link_rel=None,
)


def render_block(text: str, numbers: Numbers, element_id: str = "", complete: bool = True) -> str:
    """One block as exactly one element, with the DOM id. An unfinished one shows no half-written markup."""
    html = _render_settled(text, numbers) if complete else _render(settle(text), _cited(text, numbers))
    if not element_id:
        return html
    name = re.match(r"<\w+", html)
    assert name is not None
    return f'{name[0]} id="{escape(element_id)}"{html[name.end() :]}'


def parse(text: str, numbers: Numbers) -> list[Token]:
    """The tokens of finished Markdown, with citations as `citation` tokens that hold a source's number."""
    return _PARSER.parse(text, {"numbers": numbers})


def _render_settled(text: str, numbers: Numbers) -> str:
    return _render_once(text, _cited(text, numbers))


def _cited(text: str, numbers: Numbers) -> tuple[tuple[str, int], ...]:
    """The citations in this text alone: the numbers of others do not matter to it."""
    ids = {one for match in CITATION.finditer(text) for one in cited_passages(match[1])}
    return tuple(sorted((one, numbers[one]) for one in ids if one in numbers))


def _render(text: str, cited: Sequence[tuple[str, int]]) -> str:
    tokens = _PARSER.parse(text, {"numbers": dict(cited)})
    if not tokens:
        return "<p hidden></p>"
    html = _CLEANER.clean(_PARSER.renderer.render(tokens, _PARSER.options, {})).strip()
    roots = sum(token.level == 0 and token.nesting >= 0 for token in tokens)
    return html if roots == 1 and re.match(r"<\w", html) else f"<div>{html}</div>"


_render_once = lru_cache(maxsize=8192)(_render)


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


def _demote(state: Any) -> None:
    """A section's own headings stand below its title."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3" if token.tag in ("h1", "h2", "h3") else "h4"


def _render_citation(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    number = escape(tokens[index].content)
    return f'<sup class="cite"><a href="#source-{number}" aria-label="Source {number}">{number}</a></sup>'


def _render_link(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return f'<a href="{escape(str(tokens[index].attrGet("href") or ""))}" rel="nofollow noopener">'


def _render_image(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return escape(tokens[index].content)


def _is_web_address(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _build() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    # References would let a later block change an earlier one; the others need more than one line to be known.
    parser.disable(["reference", "lheading", "code"])
    parser.validateLink = _is_web_address  # type: ignore[method-assign]
    parser.inline.ruler.before("link", "citation", _cite)
    parser.core.ruler.push("demote", _demote)
    parser.add_render_rule("citation", _render_citation)
    parser.add_render_rule("link_open", _render_link)
    parser.add_render_rule("image", _render_image)
    return parser


_PARSER = _build()


__all__ = ["Numbers", "parse", "render_block"]
