"""A post as a Word document, from the tokens that its page is made of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from docx import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Twips
from markdown_it.tree import SyntaxTreeNode

from app.content.citations import Numbers
from app.content.urls import is_web_address
from app.content.values import Post
from app.markdown.reader import READER

_UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")
_INDENT = 360
"""Twentieths of a point from one level of a list to the next."""
_DEEPEST = 8
"""The last level of lists that Word knows."""
_ALIGNED = {"text-align:center": WD_ALIGN_PARAGRAPH.CENTER, "text-align:right": WD_ALIGN_PARAGRAPH.RIGHT}
_FONT = "Courier New"


def write_word(post: Post, numbers: Numbers, language: str = "") -> bytes:
    """Return the document's bytes. Citations are superscript numbers of the sources at its end."""
    word = _Word(language)
    word.document.core_properties.title = _clean(post.title)
    word.document.add_heading(_clean(post.title), level=0)
    if post.summary:
        word.document.add_paragraph(style="Subtitle").add_run(_clean(post.summary))
    for section in post.sections:
        word.document.add_heading(_clean(section.heading), level=1)
        word.add_text(section.markdown, numbers)
    for missing in post.missing:
        word.document.add_heading(_clean(missing.heading), level=1)
        word.document.add_paragraph().add_run("This section could not be written.").italic = True
    if post.sources:
        word.document.add_heading("Sources", level=1)
        for source in post.sources:
            paragraph = word.document.add_paragraph(_clean(f"{source.number}. {source.title} – "))
            _link(paragraph, paragraph.add_run(_clean(source.url)), _clean(source.url))
    file = BytesIO()
    word.document.save(file)
    return file.getvalue()


@dataclass(frozen=True)
class _Place:
    """Where a block stands: in how many lists, in which one, and whether it begins an item of that or is quoted."""

    depth: int = 0
    number: int = 0
    begins: bool = False
    style: str | None = None


@dataclass
class _Word:
    """A document that is being written."""

    language: str
    document: Any = field(default_factory=Document)

    def __post_init__(self) -> None:
        styles = self.document.styles
        for name, kind in (("Code", WD_STYLE_TYPE.PARAGRAPH), ("Code Text", WD_STYLE_TYPE.CHARACTER)):
            styles.add_style(name, kind).font.name = _FONT
        if self.language:
            (lang,) = styles.element.xpath("w:docDefaults/w:rPrDefault/w:rPr/w:lang")
            for name in ("w:val", "w:eastAsia", "w:bidi"):
                lang.set(qn(name), self.language)
        self._numbering = self.document.part.numbering_part.element
        self._kinds = {kind: self._add_kind(kind) for kind in ("bullet_list", "ordered_list")}

    def add_text(self, markdown: str, numbers: Numbers) -> None:
        self._add_all(SyntaxTreeNode(READER.parse(markdown, {"numbers": numbers})).children, _Place())

    def _add_all(self, nodes: Iterable[SyntaxTreeNode], place: _Place) -> None:
        for node in nodes:
            self._add(node, place)
            place = replace(place, begins=False)

    def _add(self, node: SyntaxTreeNode, place: _Place) -> None:
        match node.type:
            case "heading":
                _add_inline(self.document.add_heading(level=2 if node.tag == "h3" else 3), node)
            case "paragraph":
                _add_inline(self._paragraph(place), node)
            case "fence" | "code_block":
                self._paragraph(replace(place, style="Code")).add_run(_clean(node.content.rstrip("\n")))
            case "bullet_list" | "ordered_list":
                self._add_list(node, place)
            case "blockquote":
                self._add_all(node.children, replace(place, style="Quote"))
            case "table":
                self._add_table(node)
            case "hr":
                border = f'<w:pBdr {nsdecls("w")}><w:bottom w:val="single" w:sz="4" w:color="auto"/></w:pBdr>'
                self.document.add_paragraph()._p.get_or_add_pPr().append(parse_xml(border))

    def _paragraph(self, place: _Place) -> Any:
        style = place.style or ("List Paragraph" if place.depth else None)
        paragraph = self.document.add_paragraph(style=style)
        if place.depth:
            paragraph.paragraph_format.left_indent = Twips(_INDENT * place.depth)
        if place.begins:
            paragraph.paragraph_format.first_line_indent = Twips(-_INDENT)
            properties = paragraph._p.get_or_add_pPr().get_or_add_numPr()
            properties.get_or_add_ilvl().val = min(place.depth - 1, _DEEPEST)
            properties.get_or_add_numId().val = place.number
        return paragraph

    def _add_list(self, node: SyntaxTreeNode, place: _Place) -> None:
        """Add a list that counts by itself."""
        level = min(place.depth, _DEEPEST)
        count = self._numbering.add_num(self._kinds[node.type])
        count.add_lvlOverride(ilvl=level).add_startOverride(int(node.attrs.get("start", 1)))
        inside = _Place(place.depth + 1, count.numId, True, place.style)
        for item in node.children:
            begins = bool(item.children) and item.children[0].type == "paragraph"
            if not begins:  # what is no paragraph has no number
                self._paragraph(inside)
            self._add_all(item.children, replace(inside, begins=begins))

    def _add_kind(self, kind: str) -> int:
        """Define how lists of a kind look, at each level."""
        form, text = ("bullet", "•") if kind == "bullet_list" else ("decimal", "")
        levels = "".join(
            f'<w:lvl w:ilvl="{level}"><w:start w:val="1"/><w:numFmt w:val="{form}"/>'
            f'<w:lvlText w:val="{text or f"%{level + 1}."}"/><w:lvlJc w:val="left"/></w:lvl>'
            for level in range(_DEEPEST + 1)
        )
        number = max(map(int, self._numbering.xpath("w:abstractNum/@w:abstractNumId")), default=0) + 1
        definition = (
            f'<w:abstractNum {nsdecls("w")} w:abstractNumId="{number}">'
            f'<w:multiLevelType w:val="multilevel"/>{levels}</w:abstractNum>'
        )
        self._numbering.insert(0, parse_xml(definition))
        return number

    def _add_table(self, node: SyntaxTreeNode) -> None:
        rows = [row for part in node.children for row in part.children]
        table = self.document.add_table(rows=len(rows), cols=len(rows[0].children), style="Table Grid")
        for row, written in zip(rows, table.rows, strict=True):
            for cell, place in zip(row.children, written.cells, strict=True):
                paragraph = place.paragraphs[0]
                paragraph.alignment = _ALIGNED.get(str(cell.attrs.get("style")))
                _add_inline(paragraph, cell, frozenset({"strong"} if cell.tag == "th" else ()))


def _add_inline(paragraph: Any, node: SyntaxTreeNode, marks: frozenset[str] = frozenset(), href: str = "") -> None:
    for child in node.children:
        match child.type:
            case "em" | "strong" | "s" | "inline" | "image":
                _add_inline(paragraph, child, marks | {child.type}, href)
            case "link":
                _add_inline(paragraph, child, marks, str(child.attrs["href"]))
            case "hardbreak":
                paragraph.add_run().add_break()
            case "softbreak":
                _add_run(paragraph, " ", marks, href)
            case kind:
                _add_run(paragraph, child.content, marks | {kind}, href)


def _add_run(paragraph: Any, text: str, marks: frozenset[str], href: str) -> None:
    run = paragraph.add_run(_clean(text), style="Code Text" if "code_inline" in marks else None)
    run.bold, run.italic = "strong" in marks or None, "em" in marks or None
    run.font.strike, run.font.superscript = "s" in marks or None, "citation" in marks or None
    _link(paragraph, run, href)


def _link(paragraph: Any, run: Any, href: str) -> None:
    """Put the run into a link, if it leads to the web. Word keeps the address beside the text of the document."""
    if not is_web_address(href):
        return
    relation = paragraph.part.relate_to(href, RELATIONSHIP_TYPE.HYPERLINK, is_external=True)
    link = parse_xml(f'<w:hyperlink {nsdecls("w", "r")} r:id="{relation}"/>')
    run.font.underline = True
    run._r.addprevious(link)
    link.append(run._r)


def _clean(text: str) -> str:
    """Return the text without the control characters that no XML can hold."""
    return _UNFIT.sub("", text)
