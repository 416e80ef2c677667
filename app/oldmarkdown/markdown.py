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

from app.content.citations import CITATION, Numbers, cited_passages
from app.oldmarkdown.blocks import kind_of
from app.oldmarkdown.grammar import PARSER
from app.oldmarkdown.nesting import read_item
from app.oldmarkdown.pieces import (
    Piece,
    Pieces,
    cut_block,
    cut_item,
)

_CLEANER = nh3.Cleaner(
    tags={"p", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "em", "strong", "s", "a", "sup"}
    | {"table", "thead", "tbody", "tr", "th", "td", "div"},
    attributes={"a": {"href", "rel", "aria-label"}, "sup": {"class"}, "ol": {"start"}},
    url_schemes={"http", "https"},
    link_rel=None,
)
_NOTHING = "<p hidden></p>"
_PRE, _TABLE = '<pre tabindex="0">', '<table tabindex="0">'
"""What may be wider than the page scrolls by itself, also from the keyboard."""
_TAGS = {"items": "li", "blocks": "p", "rows": "tr", "lines": "span", "runs": "span"}
"""What the pieces of each kind are, or may be beside others: the marker after the last one is such an element."""

Cited = tuple[tuple[str, int], ...]


def render_block(text: str, numbers: Numbers, element_id: str = "", complete: bool = True, depth: int = 0) -> str:
    """One block as exactly one element, with the DOM id. An unfinished one shows no half-written markup.

    With an id, the pieces of a block have theirs, and `tail_id` is where the next one comes in.
    """
    pieces = cut_block(text, depth)
    if pieces is None:
        return _with_id(_render_text(text, numbers, element_id, complete), element_id)
    start, end = _frame(pieces, numbers)
    return _fill(start, end, pieces, numbers, element_id, complete, depth)


def render_piece(
    pieces: Pieces, piece: Piece, numbers: Numbers, element_id: str = "", complete: bool = True, depth: int = 0
) -> str:
    """One piece of a text that stands that deep, as an element with the DOM id; runs and lines without an id are no
    element of their own."""
    # A file is to be read; on a page, the end of a line would be left behind by each patch.
    end = "" if element_id else "\n"
    match pieces.kind:
        case "blocks":
            return render_block(piece.text, numbers, element_id, complete, depth + 1) + end
        case "items":
            return _render_item(piece.text, numbers, element_id, complete, depth) + end
        case "rows":
            return _with_id(_render_row(pieces.head, piece.text, numbers, complete), element_id) + end
        case "lines" | "runs":
            is_plain = piece.plain or pieces.kind == "lines"
            html = _render_plain(piece.text) if is_plain else _render_inline(piece.text, numbers, complete)
            return _as_run(html, element_id)


def tail_id(element_id: str) -> str:
    """The DOM id of the marker after the last piece of a block."""
    return f"{element_id}_tail"


def _fill(start: str, end: str, pieces: Pieces, numbers: Numbers, element_id: str, complete: bool, depth: int) -> str:
    """The pieces between what is around them."""
    inner = []
    for index, piece in enumerate(pieces.found):
        is_whole = complete or index + 1 < len(pieces.found)
        piece_id = f"{element_id}_{index}" if element_id else ""
        inner.append(render_piece(pieces, piece, numbers, piece_id, is_whole, depth))
    tag = _TAGS[pieces.kind]
    marker = f'<{tag} id="{escape(tail_id(element_id))}" hidden></{tag}>' if element_id else ""
    return _with_id(start, element_id) + "".join(inner) + marker + end


def _render_item(text: str, numbers: Numbers, element_id: str, complete: bool, depth: int) -> str:
    pieces = cut_item(text)
    if pieces is not None:
        head = _render_inline(pieces.head.strip(), numbers, True)
        start = "<li>" if pieces.kind == "runs" else f"<li>{head}\n"
        return _fill(start, "</li>", pieces, numbers, element_id, complete, depth)
    blocks = read_item(text)
    html = _render_inline(blocks[0].block.text.strip(), numbers, complete) if blocks else ""
    return _with_id(f"<li>{_as_first(html, element_id)}</li>", element_id)


def _frame(pieces: Pieces, numbers: Numbers) -> tuple[str, str]:
    """What stands before and after the pieces of a block."""
    match pieces.kind:
        case "rows":
            return f"{_table_head(pieces.head, numbers)}<tbody>\n", "</tbody>\n</table>"
        case "lines":
            return f"{_PRE}<code>", "</code></pre>"
        case "runs":
            return "<p>", "</p>"
        case "blocks":
            return "<blockquote>\n", "</blockquote>"
        case "items":
            number = pieces.number
            start = f' start="{number}"' if number not in (None, 1) else ""
            name = "ul" if number is None else "ol"
            return f"<{name}{start}>\n", f"</{name}>"


def _render_text(text: str, numbers: Numbers, element_id: str, complete: bool) -> str:
    """A block that is not cut."""
    if kind_of(text) == "text":
        inline = _render_inline(text.strip(), numbers, complete)
        return f"<p>{_as_first(inline, element_id)}</p>" if inline else _NOTHING
    render = _render_once if complete else _render
    return render(text, _cited(text, numbers), not complete)


def _as_first(html: str, element_id: str) -> str:
    """Inline text as the first run of the element, which it will be when there are more: a selection in it lasts."""
    return _as_run(html, f"{element_id}_0" if element_id else "")


def _as_run(html: str, element_id: str) -> str:
    return f'<span id="{escape(element_id)}">{html}</span>' if element_id else html


def _render_inline(text: str, numbers: Numbers, complete: bool) -> str:
    render = _render_inline_once if complete else _inline
    return render(text, _cited(text, numbers), not complete)


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


def _inline(text: str, cited: Cited, is_open: bool = False) -> str:
    return _clean(PARSER.parseInline(text, {"numbers": dict(cited), "open": is_open}))


_render_once = lru_cache(maxsize=8192)(_render)
_render_inline_once = lru_cache(maxsize=16384)(_inline)


def _render_plain(text: str) -> str:
    return _between(_CLEANER.clean(f"<pre><code>{escape(text, quote=False)}</code></pre>"), "<code>", "</code>")


def _render_row(head: str, text: str, numbers: Numbers, complete: bool) -> str:
    # Its own row of dashes: how long a table's head is does not matter to its rows.
    columns = _table_head(head, {}).count("<th>")
    row = _render_text(f"{'|x' * columns}|\n{'|-' * columns}|\n{text}", numbers, "", complete)
    return f"<tr>{_between(row[row.find('</thead>') :], '<tr>', '</tr>')}</tr>"


def _table_head(head: str, numbers: Numbers) -> str:
    return _render_once(head, _cited(head, numbers)).removesuffix("</table>")


def _clean(tokens: list[Token]) -> str:
    html = _CLEANER.clean(PARSER.renderer.render(tokens, PARSER.options, {}))
    return html.replace("<pre>", _PRE).replace("<table>", _TABLE)


def _between(html: str, start: str, end: str) -> str:
    """From after the first `start` to before the last `end`."""
    return html[html.find(start) + len(start) : html.rfind(end)]


def _with_id(html: str, element_id: str) -> str:
    if not element_id:
        return html
    name = re.match(r"<\w+", html)
    assert name is not None
    return f'{name[0]} id="{escape(element_id)}"{html[name.end() :]}'


__all__ = ["Numbers", "render_block", "render_piece", "tail_id"]
