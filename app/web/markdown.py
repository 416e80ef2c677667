"""Markdown of models as safe HTML, block by block, and long blocks piece by piece.

Raw HTML is text here, images are their alternative text, links go to http and https only, and what comes out is
sanitised once more. `[s1]` and `[s1, s2]` are citations: they link to the numbered source, or vanish.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape

import nh3
from markdown_it.token import Token

from app.web.citations import CITATION, Numbers, cited_passages
from app.web.grammar import PARSER
from app.web.pieces import Piece, Pieces, cut_block

_CLEANER = nh3.Cleaner(
    tags={"p", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "em", "strong", "s", "a", "sup"}
    | {"table", "thead", "tbody", "tr", "th", "td", "div"},
    attributes={"a": {"href", "rel", "aria-label"}, "sup": {"class"}, "ol": {"start"}},
    url_schemes={"http", "https"},
    link_rel=None,
)
_NOTHING = "<p hidden></p>"
_TAGS = {"items": "li", "rows": "tr", "lines": "span", "runs": "span"}

Cited = tuple[tuple[str, int], ...]


def render_block(text: str, numbers: Numbers, element_id: str = "", complete: bool = True) -> str:
    """One block as exactly one element, with the DOM id. An unfinished one shows no half-written markup.

    With an id, the pieces of a long block have theirs, and `tail_id` is where the next one comes in.
    """
    pieces = cut_block(text)
    if pieces is None:
        cited = _cited(text, numbers)
        return _with_id(_render_once(text, cited) if complete else _render(text, cited, is_open=True), element_id)
    start, end = _frame(pieces, numbers)
    inner = []
    for index, piece in enumerate(pieces.found):
        is_whole = complete or index + 1 < len(pieces.found)
        piece_id = f"{element_id}_{index}" if element_id else ""
        inner.append(render_piece(pieces, piece, numbers, piece_id, is_whole))
    tag = _TAGS[pieces.kind]
    marker = f'<{tag} id="{escape(tail_id(element_id))}" hidden></{tag}>' if element_id else ""
    return _with_id(start, element_id) + "".join(inner) + marker + end


def render_piece(pieces: Pieces, piece: Piece, numbers: Numbers, element_id: str = "", complete: bool = True) -> str:
    """One piece of a block, as an element with the DOM id; runs and lines without an id are no element of their own."""
    render = _render_piece_once if complete else _render_piece
    html = render(pieces.kind, piece.text, pieces.head, piece.plain, _cited(piece.text, numbers), not complete)
    if _TAGS[pieces.kind] == "span":
        return f'<span id="{escape(element_id)}">{html}</span>' if element_id else html
    return _with_id(html, element_id) + "\n"


def tail_id(element_id: str) -> str:
    """The DOM id of the marker after the last piece of a block."""
    return f"{element_id}_tail"


def parse(text: str, numbers: Numbers) -> list[Token]:
    """The tokens of finished Markdown, with citations as `citation` tokens that hold a source's number."""
    return PARSER.parse(text, {"numbers": numbers})


def _cited(text: str, numbers: Numbers) -> Cited:
    """The citations in this text alone: the numbers of others do not matter to it."""
    ids = {one for match in CITATION.finditer(text) for one in cited_passages(match[1])}
    return tuple(sorted((one, numbers[one]) for one in ids if one in numbers))


def _render(text: str, cited: Cited, is_open: bool = False) -> str:
    tokens = PARSER.parse(text, {"numbers": dict(cited), "open": is_open})
    if not tokens or (len(tokens) == 3 and is_open and not tokens[1].children):
        return _NOTHING
    html = _clean(tokens).strip()
    roots = sum(token.level == 0 and token.nesting >= 0 for token in tokens)
    return html if roots == 1 and re.match(r"<\w", html) else f"<div>{html}</div>"


_render_once = lru_cache(maxsize=8192)(_render)


def _render_piece(kind: str, text: str, head: str, plain: bool, cited: Cited, is_open: bool) -> str:
    env = {"numbers": dict(cited), "open": is_open}
    if kind == "lines" or plain:
        return _between(_CLEANER.clean(f"<pre><code>{escape(text, quote=False)}</code></pre>"), "<code>", "</code>")
    if kind == "runs":
        return _clean(PARSER.parseInline(text, env))
    if kind == "items":
        html = _clean(PARSER.parse(text, env))
        return f"<li>{_between(html, '<li>', '</li>')}</li>"
    # Its own row of dashes: how long a table's head is does not matter to its rows.
    columns = _columns(head)
    row = _clean(PARSER.parse(f"{'|x' * columns}|\n{'|-' * columns}|\n{text}", env))
    return f"<tr>{_between(row[row.find('</thead>') :], '<tr>', '</tr>')}</tr>"


_render_piece_once = lru_cache(maxsize=16384)(_render_piece)


def _frame(pieces: Pieces, numbers: Numbers) -> tuple[str, str]:
    """What stands before and after the pieces of a block."""
    match pieces.kind:
        case "rows":
            return f"{_table_head(pieces.head, numbers)}<tbody>\n", "</tbody>\n</table>"
        case "lines":
            return "<pre><code>", "</code></pre>"
        case "runs":
            return "<p>", "</p>"
        case "items":
            number = pieces.number
            start = f' start="{number}"' if number not in (None, 1) else ""
            name = "ul" if number is None else "ol"
            return f"<{name}{start}>\n", f"</{name}>"


def _table_head(head: str, numbers: Numbers) -> str:
    return _render_once(head, _cited(head, numbers)).removesuffix("</table>")


def _columns(head: str) -> int:
    return _table_head(head, {}).count("<th>")


def _clean(tokens: list[Token]) -> str:
    return _CLEANER.clean(PARSER.renderer.render(tokens, PARSER.options, {}))


def _between(html: str, start: str, end: str) -> str:
    """From after the first `start` to before the last `end`."""
    return html[html.find(start) + len(start) : html.rfind(end)]


def _with_id(html: str, element_id: str) -> str:
    if not element_id:
        return html
    name = re.match(r"<\w+", html)
    assert name is not None
    return f'{name[0]} id="{escape(element_id)}"{html[name.end() :]}'


__all__ = ["Numbers", "parse", "render_block", "render_piece", "tail_id"]
