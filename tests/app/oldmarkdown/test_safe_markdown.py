"""A post's Markdown is safe in any reader, and reads there as it does on the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.oldmarkdown.blocks import split_blocks
from app.oldmarkdown.markdown import render_block
from app.oldmarkdown.safe_markdown import write_safely
from tests.app.oldmarkdown.test_markdown import BEGINNINGS, INSIDES, SAMPLE

NUMBERS = {"s1": 1, "s2": 2, "s3": 2}
ALLOWED = {
    "p",
    "h2",
    "h3",
    "h4",
    "ul",
    "ol",
    "li",
    "blockquote",
    "pre",
    "code",
    "hr",
    "br",
    "em",
    "strong",
    "s",
    "a",
} | {*("table", "thead", "tbody", "tr", "th", "td")}
HOSTILE = [
    "<script>",
    "</p>",
    "<img src=x onerror=y>",
    "<!--",
    "<hx-partial>",
    "javascript:x",
    "data:x",
    "](javascript:x)",
]
HOSTILE += [
    "[s1]:",
    "[s1](",
    "[s9]",
    "[x]: ",
    "<https://x.example/a_b>",
    "](https://x.example/?a=1&lt;)",
    "![",
    "===",
    "    ",
]
HOSTILE += [
    "~~~",
    "&lt;",
    "&#60;",
    "    - ",
    "2. ",
    "+ ",
    "(",
    ")",
    ":",
    "é",
    "!",
    "\\\n",
    "`` ` ``",
    "|",
    "-",
    "#",
    "\t",
    "   > ",
]
TEXTS = st.lists(st.sampled_from(BEGINNINGS + INSIDES + HOSTILE), max_size=25).map("".join)


class Reading(HTMLParser):
    """What a browser shows of HTML: its text without spaces, its tags, and what has text and links where."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.names, self.links = "", set[str](), set[str](), set[str]()
        self._link, self._cited = "", False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        values = dict(attrs)
        if tag == "a":
            self._link = values.get("href") or ""
        self._cited = self._cited or tag == "sup"

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = ""
        if tag == "sup":
            self._cited = False

    def handle_data(self, data: str) -> None:
        text = re.sub(r"\s+", "", data)
        self.text += text
        if text and self._link and not self._link.startswith("#source-"):
            self.links.add(self._link)


def read_permissively(markdown: str) -> Reading:
    """By a reader that lets everything through, with a heading below."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # replaced on this one parser
    return Reading(reader.render(f"{markdown}\n\n## After"))


def read_page(markdown: str) -> Reading:
    html = "\n".join(render_block(block.text, NUMBERS) for block in split_blocks(markdown, True))
    # A page shows a citation as small numbers, a file in brackets.
    cited = re.sub(r'(?:<sup class="cite"><a [^>]*>\d+</a></sup>)+', _bracket, html)
    return Reading(cited + "<h2>After</h2>")


def _bracket(sups: re.Match[str]) -> str:
    return "[" + ",".join(re.findall(r">(\d+)<", sups[0])) + "]"


def assert_reads_as_the_page(markdown: str) -> None:
    written = write_safely(markdown, NUMBERS)
    file, page = read_permissively(written), read_page(markdown)
    assert re.sub(r"\]\[", ",", file.text) == re.sub(r"\]\[", ",", page.text), written
    assert file.links == page.links, written
    assert file.tags <= ALLOWED, written
    assert file.names <= {"href", "start", "class", "style"}, written
    assert all(link.startswith(("http://", "https://")) for link in file.links), written
    assert read_permissively(write_safely(written, {})).text == file.text, written


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_a_file_shows_what_the_page_shows(text: str) -> None:
    assert_reads_as_the_page(text)


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)> and <script>alert(1)</script>",
        "<hx-partial hx-target=body>x</hx-partial>",
        "[x](javascript:alert(1)) and [y](data:text/html,hi) and [z](/tokens)",
        "[s1]: javascript:alert(1)\n\nSee [s1].",
        "See [s1](javascript:alert(1)).",
        "[x]: https://x.example\n\n[x]",
        "Title\n===\n\n    code",
        "```\nopen [s1] <b>",
        "`[s1]` and \\[s1\\]",
        "*a*[s9]*b* and _(c)_![d](https://x.example)e",
        "- a\n\n      <b>\n+ b\n* c\n\n3. d\n\n   > e <i>\n   > - f",
        "| a <b> | `c\\|d` |\n|:--|--:|\n| x\\|y | [s1] |",
        "```py\n<b>\n```\n<b>",
        "| a |\n[s9]1. ",
    ],
)
def test_hostile_text_is_only_text(text: str) -> None:
    assert_reads_as_the_page(text)


@pytest.mark.parametrize(
    "text",
    [SAMPLE.replace(" [s9]", "").replace("## A heading", "### A heading").replace("\n---", ""), "3 < 4 & *so* on_it."],
)
def test_what_is_safe_stays_as_it_was_written(text: str) -> None:
    assert write_safely(text, {}) == re.sub(r" \[s\d[^\]]*\]", "", text)
