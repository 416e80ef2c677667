"""Markdown of models as safe HTML, block by block.

Raw HTML is text here, images are their alternative text, links go to http and https only, and what comes out is
sanitised once more. `[s1]` and `[s1, s2]` are citations: they link to the numbered source, or vanish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape

import nh3
from markdown_it.token import Token

from app.web.grammar import PARSER
from app.web.unfinished import CITATION

_CLEANER = nh3.Cleaner(
    tags={"p", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "em", "strong", "s", "a", "sup"}
    | {"table", "thead", "tbody", "tr", "th", "td", "div"},
    attributes={"a": {"href", "rel", "aria-label"}, "sup": {"class"}, "ol": {"start"}},
    url_schemes={"http", "https"},
    link_rel=None,
)
_NOTHING = "<p hidden></p>"

Numbers = Mapping[str, int]
"""The source number that each passage id is cited as."""


def render_block(text: str, numbers: Numbers, element_id: str = "", complete: bool = True) -> str:
    """One block as exactly one element, with the DOM id. An unfinished one shows no half-written markup."""
    cited = _cited(text, numbers)
    html = _render_once(text, cited) if complete else _render(text, cited, is_open=True)
    if not element_id:
        return html
    name = re.match(r"<\w+", html)
    assert name is not None
    return f'{name[0]} id="{escape(element_id)}"{html[name.end() :]}'


def parse(text: str, numbers: Numbers) -> list[Token]:
    """The tokens of finished Markdown, with citations as `citation` tokens that hold a source's number."""
    return PARSER.parse(text, {"numbers": numbers})


def _cited(text: str, numbers: Numbers) -> tuple[tuple[str, int], ...]:
    """The citations in this text alone: the numbers of others do not matter to it."""
    ids = {one.strip() for match in CITATION.finditer(text) for one in match[1].split(",")}
    return tuple(sorted((one, numbers[one]) for one in ids if one in numbers))


def _render(text: str, cited: Sequence[tuple[str, int]], is_open: bool = False) -> str:
    tokens = PARSER.parse(text, {"numbers": dict(cited), "open": is_open})
    if not tokens or (len(tokens) == 3 and is_open and not tokens[1].children):
        return _NOTHING
    html = _CLEANER.clean(PARSER.renderer.render(tokens, PARSER.options, {})).strip()
    roots = sum(token.level == 0 and token.nesting >= 0 for token in tokens)
    return html if roots == 1 and re.match(r"<\w", html) else f"<div>{html}</div>"


_render_once = lru_cache(maxsize=8192)(_render)


__all__ = ["CITATION", "Numbers", "parse", "render_block"]
