"""Finished texts for files: HTML without ids, and Markdown that shows in any reader what the page shows.

Other readers know raw HTML, references and links to anywhere; here all that is text. So a text is written anew from its
tokens, by mdformat's renderer.
"""

from __future__ import annotations

import re
from html import unescape
from typing import Any, ClassVar

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdformat.renderer import MDRenderer, RenderContext, RenderTreeNode

from app.content.citations import Numbers
from app.markdown.escaping import escape_line_starts, escape_text, write_address, write_heading
from app.markdown.growing import read
from app.markdown.reader import READER
from app.markdown.tree import render

_SOFT, _HARD = "\x01", "\x02"
_BREAKS = re.compile(rf"[ \t]*[{_SOFT}{_HARD}][ \t{_SOFT}{_HARD}]*")
_CITATIONS, _NUMBER = re.compile(r'(?:<sup class="cite">.*?</sup>)+'), re.compile(r">(\d+)<")
_RENDERER: Any = READER.renderer
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_DASHES = {"text-align:left": ":---", "text-align:center": ":---:", "text-align:right": "---:"}
_MOST_NUMBER = 999_999_999


def write_html(text: str, numbers: Numbers) -> str:
    """Return the HTML of a text; citations are numbers that lead to `#source-N`."""
    return render(read(text, numbers))


def write_markdown(text: str, numbers: Numbers) -> str:
    """Return a text as Markdown; citations are the numbers of sources in brackets."""
    tokens = READER.parse(text, {"numbers": numbers})
    options = {**READER.options, "parser_extension": [_Writing], "emphasis": True}
    return MDRenderer().render(tokens, options, {}).strip("\n")


def _inline(node: RenderTreeNode, context: RenderContext) -> str:
    """Write inline text: without emphasis where any reader would see something else in it than is there."""
    written = _join(node, context)
    seen = _seen(_RENDERER.renderInline(_tokens(node), READER.options, {}))
    if _seen(_ANY_READER.renderInline(written)) == seen:
        return written
    return _join(node, context._replace(options={**context.options, "emphasis": False}))


def _join(node: RenderTreeNode, context: RenderContext) -> str:
    """Write what is in a node, without empty lines; in one line, unless it is a paragraph."""
    text = _children(node, context).strip(f" \t{_SOFT}{_HARD}")
    is_text = node.parent is not None and node.parent.type == "paragraph"
    return _BREAKS.sub(lambda found: ("\\\n" if _HARD in found[0] else "\n") if is_text else " ", text)


def _children(node: RenderTreeNode, context: RenderContext) -> str:
    return "".join(child.render(context) for child in node.children)


def _seen(html: str) -> str:
    """Return the text and the links of inline HTML, with citations in brackets, without white space."""
    html = _CITATIONS.sub(lambda found: f"[{','.join(_NUMBER.findall(found[0]))}]", html)
    return unescape(re.sub(r'</?(?!a\b)[^>]*>| rel="[^"]*"|\s', "", html))


def _tokens(node: RenderTreeNode) -> list[Token]:
    return (node.token.children or []) if node.token is not None else []


def _text(node: RenderTreeNode, _context: RenderContext) -> str:
    before = node.previous_sibling
    # After `[1]` these would make it a link, or the definition of one.
    leaves = before is not None and before.type == "citation" and node.content.startswith(("(", ":"))
    return ("\\" if leaves else "") + escape_text(node.content)


def _citation(node: RenderTreeNode, _context: RenderContext) -> str:
    """Write citations that stand together as one: `[1, 2]`."""
    if node.previous_sibling is not None and node.previous_sibling.type == "citation":
        return ""
    found, one = [node.content], node.next_sibling
    while one is not None and one.type == "citation":
        found.append(one.content)
        one = one.next_sibling
    return f" [{', '.join(found)}]"


def _emphasis(node: RenderTreeNode, context: RenderContext) -> str:
    mark = node.markup if context.options["emphasis"] else ""
    text = _children(node, context)
    return f"{mark}{text}{mark}" if text else ""


def _link(node: RenderTreeNode, context: RenderContext) -> str:
    text = _children(node, context).strip()
    return f"[{text}]({write_address(str(node.attrs['href']))})" if text else ""


def _image(node: RenderTreeNode, _context: RenderContext) -> str:
    return escape_text(_RENDERER.renderInlineAsText(_tokens(node), READER.options, {}))


def _heading(node: RenderTreeNode, context: RenderContext) -> str:
    return write_heading(int(node.tag[1]), _children(node, context))


def _paragraph(node: RenderTreeNode, context: RenderContext) -> str:
    return escape_line_starts(_children(node, context))


def _fence(node: RenderTreeNode, _context: RenderContext) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", node.content)), default=0))
    language = node.info.strip() if _LANGUAGE.fullmatch(node.info.strip()) else ""
    return f"{fence}{language}\n{node.content.removesuffix(chr(10))}\n{fence}"


def _ordered_list(node: RenderTreeNode, context: RenderContext) -> str:
    """Write a numbered list; every other one of those side by side has other marks, else they would be one."""
    end, first, before = ".", int(node.attrs.get("start", 1)), node.previous_sibling
    while before is not None and before.type == node.type:
        end, before = ")" if end == "." else ".", before.previous_sibling
    items = []
    for index, item in enumerate(node.children):
        mark = f"{min(first + index, _MOST_NUMBER)}{end} "
        lines = (f"{' ' * len(mark)}{line}" if line else "" for line in item.render(context).split("\n"))
        items.append((mark + "\n".join(lines).lstrip(" ")).rstrip(" "))
    texts = (inside for item in node.children for inside in item.children if inside.type == "paragraph")
    return ("\n" if all(text.hidden for text in texts) else "\n\n").join(items)


def _table(node: RenderTreeNode, context: RenderContext) -> str:
    head, *rows = (row for part in node.children for row in part.children)
    dashes = [_DASHES.get(str(cell.attrs.get("style")), "---") for cell in head.children]
    return "\n".join([_row(_cells(head, context)), _row(dashes), *(_row(_cells(row, context)) for row in rows)])


def _cells(row: RenderTreeNode, context: RenderContext) -> list[str]:
    return [_children(cell, context).replace("|", "\\|") for cell in row.children]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _allow_all() -> MarkdownIt:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # replaced on this one reader
    return reader


_ANY_READER = _allow_all()


class _Writing:
    """Renderers in place of mdformat's own."""

    RENDERERS: ClassVar[dict[str, Any]] = {
        "inline": _inline,
        "text": _text,
        "citation": _citation,
        "em": _emphasis,
        "strong": _emphasis,
        "s": _emphasis,
        "link": _link,
        "image": _image,
        "softbreak": lambda _node, _context: _SOFT,
        "hardbreak": lambda _node, _context: _HARD,
        "heading": _heading,
        "paragraph": _paragraph,
        "fence": _fence,
        "code_block": _fence,
        "hr": lambda _node, _context: "***",
        "ordered_list": _ordered_list,
        "table": _table,
    }
