"""A post as a Word document has what its page has."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from docx import Document
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml.ns import qn

from app.content.values import MissingSection, Post, Section, Source
from app.markdown.word import write_word
from tests.app.markdown import samples

TEXT = """Intro **bold** *em* ~~gone~~ `co de` [s1] and [here](https://e.com/a_(b)), not [there](javascript:x).\\
After a hard break
and a soft one

1. one
2. two

   more of two

   - in
     1. deep

Between

1. again
2. and on

7) seven

> quoted
>
> - in a quotation

```py
x = 1

  y
```

- ```
  code
  ```

| **Part** | kW |
|---|--:|
| [wall](https://e.com/wall) [s1] | `4\\|1` |

---

\x0c![alt *text*](https://e.com/i.png) \x1b <b>
"""


def document(text: str, language: str = "") -> Any:
    post = Post(
        title="A title\x00",
        summary="In short",
        sections=[Section(id="a", heading="Its price", markdown=text)],
        missing=[MissingSection(id="b", heading="Not there", error="x")],
        sources=[
            Source(number=1, url="https://e.com/source", title="One", passages=["s1"]),
            Source(number=2, url="javascript:x", title="Two", passages=["s2"]),
        ],
    )
    return Document(BytesIO(write_word(post, {"s1": 1}, language)))


def count_of(paragraph: Any) -> tuple[int, int] | None:
    """Return the level and the list of a paragraph that has a number or a bullet."""
    properties = paragraph._p.pPr.numPr if paragraph._p.pPr is not None else None
    return None if properties is None else (properties.ilvl.val, properties.numId.val)


def test_a_document_has_all_parts_in_order() -> None:
    found = [(one.style.name, one.text) for one in document(TEXT).paragraphs]
    assert found[:3] == [("Title", "A title"), ("Subtitle", "In short"), ("Heading 1", "Its price")]
    assert found[3][1] == (
        "Intro bold em gone co de1 and here, not [there](javascript:x).\nAfter a hard break and a soft one"
    )
    assert ("Quote", "quoted") in found
    assert ("Code", "x = 1\n\n  y") in found
    assert ("Normal", "alt text  <b>") in found
    assert found[-5:] == [
        ("Heading 1", "Not there"),
        ("Normal", "This section could not be written."),
        ("Heading 1", "Sources"),
        ("Normal", "1. One – https://e.com/source"),
        ("Normal", "2. Two – javascript:x"),
    ]


def test_each_list_counts_by_itself() -> None:
    word = document(TEXT)
    counts = {one.text: count_of(one) for one in word.paragraphs}
    one, again, seven = counts["one"], counts["again"], counts["seven"]
    assert one and again and seven
    assert one == counts["two"] != again == counts["and on"]
    assert len({one[1], again[1], seven[1]}) == 3
    assert counts["more of two"] is None
    assert [(counts[text] or (-1,))[0] for text in ("one", "in", "deep", "in a quotation")] == [0, 1, 2, 0]
    numbering = word.part.numbering_part.element
    (start,) = numbering.xpath(f"w:num[@w:numId='{seven[1]}']/w:lvlOverride/w:startOverride/@w:val")
    assert start == "7"
    kinds = numbering.xpath(f"w:num[@w:numId='{one[1]}']/w:abstractNumId/@w:val")
    (form,) = set(numbering.xpath(f"w:abstractNum[@w:abstractNumId='{kinds[0]}']/w:lvl/w:numFmt/@w:val"))
    assert form == "decimal"


def test_what_belongs_to_an_item_stands_under_it() -> None:
    indents = {one.text: one.paragraph_format.left_indent for one in document(TEXT).paragraphs}
    assert indents["two"] == indents["more of two"] < indents["in"] < indents["deep"]
    assert indents["code"] == indents["one"]
    assert indents["Between"] is None


def test_words_look_as_on_the_page() -> None:
    runs = {run.text: run for run in document(TEXT).paragraphs[3].runs}
    assert (runs["bold"].bold, runs["em"].italic, runs["gone"].font.strike) == (True, True, True)
    assert runs["co de"].style.font.name == "Courier New"
    assert runs["1"].font.superscript


def test_tables_and_links_are_real() -> None:
    word = document(TEXT)
    (table,) = word.tables
    assert [[cell.text for cell in row.cells] for row in table.rows] == [["Part", "kW"], ["wall1", "4|1"]]
    assert [link.text for link in table.rows[1].cells[0].paragraphs[0].hyperlinks] == ["wall"]
    targets = {one.target_ref for one in word.part.rels.values() if one.reltype == RELATIONSHIP_TYPE.HYPERLINK}
    assert targets == {"https://e.com/a_(b)", "https://e.com/wall", "https://e.com/source"}


def test_its_language_is_that_of_the_post() -> None:
    (lang,) = document(TEXT, "de-AT").styles.element.xpath("w:docDefaults//w:lang")
    assert lang.get(qn("w:val")) == "de-AT"


def test_any_text_can_be_written() -> None:
    for text in [*samples.texts(4, 31, lazy=True), *samples.noise(12, 32), "- " * 40 + "a", ">" * 90 + "a\x00\ud800"]:
        assert document(text).paragraphs
