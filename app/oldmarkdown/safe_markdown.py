"""Markdown of models as Markdown for files: in any reader it shows what the page shows, and links where the page links.

The page reads no raw HTML, no references and only links to http and https; other readers do. So a text stays as its
author wrote it only where a reader that allows everything sees in it what it sees in the text that is written anew from
what the page shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from app.content.citations import Numbers, number_citations
from app.oldmarkdown.inline_markdown import escape_line_starts, write_heading, write_spans
from app.oldmarkdown.spans import Span, read_spans, read_tree

_LONGEST = 50_000
"""Longer texts are always written anew: how long a reader that allows everything takes is not bounded."""
_SAME = re.compile(r"\s+|</?(?:p|em|strong|s)>")
_AFTER = "\n\n## After"
"""What stands below a section must not become part of it."""
_LANGUAGE = re.compile(r"[\w+#.-]{1,20}")
_TIGHT = re.compile(r"(?:[-+]|1[.)]) \S")
_ALIGNED = {"text-align:left": ":---", "text-align:center": ":---:", "text-align:right": "---:"}


def _allow_all() -> MarkdownIt:
    reader = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # replaced on this one parser
    return reader


_READER = _allow_all()


def write_safely(markdown: str, numbers: Numbers) -> str:
    """The Markdown with the numbers of sources for citations, as its author wrote it wherever that is safe."""
    written = _write_all(read_tree(markdown, numbers))
    numbered = number_citations(markdown, numbers).strip()
    return numbered if len(numbered) <= _LONGEST and _reads_as(numbered, written) else written


def _reads_as(markdown: str, written: str) -> bool:
    """Whether a reader that allows everything sees the same in both, and so do we: files are pasted back."""
    seen = _read(written)
    return _read(markdown) == seen and _read(_write_all(read_tree(markdown, {}))) == seen


def _read(markdown: str) -> str:
    """What a reader that allows everything makes of it, but for the breaks of lines and for emphasis."""
    return _SAME.sub("", _READER.render(markdown + _AFTER))


def _write_all(parent: SyntaxTreeNode) -> str:
    """The blocks inside one. Two lists side by side have different marks, else they would be one."""
    written = ""
    last = ""
    for node in parent.children:
        is_other = node.type == last
        text = _write(node, is_other)
        if not text:
            continue
        last = "" if is_other else node.type
        is_tight = parent.type == "list_item" and "\n" not in written and _TIGHT.match(text)
        written += ("\n" if is_tight else "\n\n") + text if written else text
    return written


def _write(node: SyntaxTreeNode, is_other: bool) -> str:
    match node.type:
        case "paragraph":
            return escape_line_starts(write_spans(_spans(node)))
        case "heading":
            return write_heading(int(node.tag[1]), _one_line(node))
        case "bullet_list":
            return "\n".join(_item(item, "+" if is_other else "-") for item in node.children)
        case "ordered_list":
            return "\n".join(_item(item, mark) for item, mark in _numbered(node, ")" if is_other else "."))
        case "blockquote":
            return "\n".join(f"> {line}" if line else ">" for line in _write_all(node).split("\n"))
        case "fence":
            return _write_fence(node.content, node.info.strip())
        case "table":
            return "\n".join(_write_rows(node))
        case "hr":
            return "***"
        case _:
            return ""


def _numbered(node: SyntaxTreeNode, end: str) -> Iterator[tuple[SyntaxTreeNode, str]]:
    first = int(node.attrs.get("start", 1))
    for index, item in enumerate(node.children):
        yield item, f"{min(first + index, 999_999_999)}{end}"


def _item(item: SyntaxTreeNode, mark: str) -> str:
    lines = f"{mark} {_write_all(item)}".rstrip().split("\n")
    indent = " " * (len(mark) + 1)
    return "\n".join([lines[0], *(indent + line if line else "" for line in lines[1:])])


def _write_fence(content: str, info: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", content)), default=0))
    language = info if _LANGUAGE.fullmatch(info) else ""
    lines = content if not content or content.endswith("\n") else f"{content}\n"
    return f"{fence}{language}\n{lines}{fence}"


def _write_rows(table: SyntaxTreeNode) -> Iterator[str]:
    for part in table.children:
        for row in part.children:
            yield _row(_one_line(cell).replace("|", "\\|") for cell in row.children)
        if part.type == "thead":
            yield _row(_ALIGNED.get(str(cell.attrs.get("style")), "---") for cell in part.children[0].children)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _one_line(node: SyntaxTreeNode) -> str:
    return write_spans([Span("text", " ") if span.kind in ("soft", "hard") else span for span in _spans(node)])


def _spans(node: SyntaxTreeNode) -> list[Span]:
    return [span for child in node.children if child.token is not None for span in read_spans(child.token)]
