"""A post's files are safe wherever they are published, whatever its author wrote."""

from __future__ import annotations

import re
from io import BytesIO

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE

from app.content.values import (
    MissingSection,
    Post,
    Section,
    Source,
)
from app.web.posts.exports import write_docx, write_html, write_markdown
from tests.app.markdown.test_export import ALLOWED, Reading, read_permissively

EVIL = """<img src=x onerror=alert(1)> [a](javascript:alert(1)) [b](data:text/html,x) [s1](javascript:x) &lt;b&gt;

[s1]: javascript:alert(1)

| **Part** | kW |
|---|---|
| [wall](https://x.example/wall?a=1&b=2) [s1] | <b>4.1</b> |
| `a\\|b` | ~~5~~ |

- one <script>alert(1)</script>
  - [two](https://x.example/two)

```
<hx-partial> [s1]
"""
ODD = "<b>&lt;i&gt;</b> *a* [x](javascript:y) C #"
POST = Post(
    title=ODD,
    summary=ODD,
    sections=[Section(id="a", heading=ODD, markdown=EVIL), Section(id="b", heading="Next", markdown="Below [s2].")],
    missing=[MissingSection(id="c", heading=ODD, error="x")],
    sources=[
        Source(number=1, url="https://x.example/(a)?b=1&lt;=2", title=ODD, passages=["s1"]),
        Source(number=2, url="javascript:alert(1)", title="- # Two", passages=["s2"]),
    ],
)
LINKS = {"https://x.example/wall?a=1&b=2", "https://x.example/two", "https://x.example/(a)?b=1&lt;=2"}


def test_markdown_and_html_hold_only_what_is_allowed() -> None:
    of_page = {"html", "head", "meta", "title", "body", "article", "section", "h1", "sup", "div"}
    for reading in (read_permissively(write_markdown(POST).decode()), Reading(write_html(POST).decode())):
        assert reading.tags <= ALLOWED | of_page
        assert reading.links == LINKS
        assert not [name for name in reading.names if name.startswith(("on", "hx"))]
        assert reading.text.count(re.sub(r"\s", "", ODD)) >= 5
        for text in ("<imgsrc=xonerror=alert(1)>", "<script>alert(1)</script>", "<hx-partial>[s1]", "-#Two", "Below"):
            assert text in reading.text


def test_an_open_fence_does_not_take_in_what_stands_below() -> None:
    assert "\n```\n\n## Next\n\nBelow [2].\n" in write_markdown(POST).decode()


def test_a_word_document_has_tables_and_links() -> None:
    document = Document(BytesIO(write_docx(POST)))
    (table,) = document.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["Part", "kW"],
        ["wall1", "<b>4.1</b>"],
        ["a|b", "5"],
    ]
    assert document.element.body.index(table._tbl) < document.element.body.index(document.paragraphs[-1]._p)
    targets = {one.target_ref for one in document.part.rels.values() if one.reltype == RELATIONSHIP_TYPE.HYPERLINK}
    assert targets == LINKS
    paragraphs = [paragraph.text for paragraph in document.paragraphs]
    assert any(text.startswith("<img src=x onerror=alert(1)> [a](javascript:alert(1))") for text in paragraphs)
    assert "two" in paragraphs
    assert [link.text for link in table.rows[1].cells[0].paragraphs[0].hyperlinks] == ["wall"]


def test_exporting_twice_is_the_same() -> None:
    assert write_markdown(POST) == write_markdown(POST)
    assert write_html(POST) == write_html(POST)
