"""A post as a Word document."""

from __future__ import annotations

import re
from io import BytesIO
from typing import Any

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from markdown_it.tree import SyntaxTreeNode

from app.content.citations import Numbers
from app.content.urls import web_address
from app.content.values import Post
from app.oldmarkdown.spans import read_spans, read_tree

_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_STYLES = {"bullet_list": "List Bullet", "ordered_list": "List Number", "blockquote": "Quote"}


def write_word(post: Post, numbers: Numbers) -> bytes:
    """The document's bytes. Citations are superscript numbers of the sources at its end."""
    document = Document()
    document.core_properties.title = _clean(post.title)
    document.add_heading(_clean(post.title), level=0)
    if post.summary:
        document.add_paragraph(style="Subtitle").add_run(_clean(post.summary))
    for section in post.sections:
        document.add_heading(_clean(section.heading), level=1)
        _add_blocks(document, read_tree(section.markdown, numbers))
    for missing in post.missing:
        document.add_heading(_clean(missing.heading), level=1)
        document.add_paragraph().add_run("This section could not be written.").italic = True
    if post.sources:
        document.add_heading("Sources", level=1)
        for source in post.sources:
            paragraph = document.add_paragraph(_clean(f"{source.number}. {source.title} – "))
            run = paragraph.add_run(_clean(source.url))
            if address := web_address(_clean(source.url)):
                _link(paragraph, run, address)
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _add_blocks(document: Any, parent: SyntaxTreeNode, style: str | None = None) -> None:
    for node in parent.children:
        match node.type:
            case "heading":
                _add_inline(document.add_heading(level=2 if node.tag == "h3" else 3), node)
            case "paragraph":
                _add_inline(document.add_paragraph(style=style), node)
            case "fence":
                document.add_paragraph(_clean(node.content.rstrip("\n")))
            case "table":
                _add_table(document, node)
            case _:
                _add_blocks(document, node, _STYLES.get(node.type, style))


def _add_table(document: Any, node: SyntaxTreeNode) -> None:
    rows = [row for part in node.children for row in part.children]
    table = document.add_table(rows=len(rows), cols=len(rows[0].children), style="Table Grid")
    for row, written in zip(rows, table.rows, strict=True):
        for cell, place in zip(row.children, written.cells, strict=True):
            _add_inline(place.paragraphs[0], cell)


def _add_inline(paragraph: Any, node: SyntaxTreeNode) -> None:
    for child in node.children:
        for span in read_spans(child.token) if child.token is not None else ():
            marks = dict(span.marks)
            run = paragraph.add_run(" " if span.kind in ("soft", "hard") else _clean(span.text))
            run.bold, run.italic = "strong" in marks or None, "em" in marks or None
            run.font.strike = "s" in marks or None
            run.font.superscript = span.kind == "citation" or None
            if href := web_address(marks.get("link", "")):
                _link(paragraph, run, href)


def _link(paragraph: Any, run: Any, href: str) -> None:
    """Put the run into a link. The address is kept beside the text of the document, as Word does it."""
    link = OxmlElement("w:hyperlink")
    link.set(qn("r:id"), paragraph.part.relate_to(href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True))
    run.font.underline = True
    run._r.addprevious(link)
    link.append(run._r)


def _clean(text: str) -> str:
    """Without the control characters that no XML can hold."""
    return _UNFIT.sub("", text)
