"""A text's Markdown is safe in any reader, and reads there as it does on the page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import chain

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.markdown.export import write_html, write_markdown
from tests.app.markdown import samples

NUMBERS = {"s1": 1, "s2": 2, "s3": 2}
ALLOWED = {"p", "h2", "h3", "h4", "ul", "ol", "li", "blockquote", "pre", "code", "hr", "br", "em", "strong", "s", "a"}
ALLOWED |= {"table", "thead", "tbody", "tr", "th", "td"}
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
    "](https://x.example/?a=1&lt;=1)",
    "===",
    "    - ",
]
HOSTILE += [
    "~~~",
    "&lt;",
    "&#60;",
    "2. ",
    "+ ",
    "(",
    ")",
    ":",
    "é",
    "\\\n",
    "  \n",
    "`` ` ``",
    ":-:",
    "\t",
    "   > ",
    "[s1]",
    "word",
]
TEXTS = st.lists(st.sampled_from([*samples.SIGNS, *HOSTILE]), max_size=25).map("".join)


class Reading(HTMLParser):
    """HTML as a browser shows it: its text without spaces, its tags, attributes, and the links that show."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.tags, self.names, self.links = "", set[str](), set[str](), set[str]()
        self._link = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}
        if tag == "a":
            self._link = dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = ""

    def handle_data(self, data: str) -> None:
        text = re.sub(r"[\s\x00-\x1f\x7f]+", "", data)
        self.text += text
        if text and self._link and not self._link.startswith("#source-"):
            self.links.add(self._link)


def read_permissively(markdown: str) -> Reading:
    """By a reader that lets everything through, with a heading below."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    reader.validateLink = lambda url: True  # type: ignore[method-assign]  # replaced on this one reader
    return Reading(reader.render(f"{markdown}\n\n## After"))


def read_page(markdown: str) -> Reading:
    # A page shows a citation as small numbers, a file in brackets.
    cited = re.sub(r'(?:<sup class="cite">.*?</sup>)+', _bracket, write_html(markdown, NUMBERS))
    return Reading(f"{cited}<h2>After</h2>")


def _bracket(sups: re.Match[str]) -> str:
    return "[" + ",".join(re.findall(r">(\d+)<", sups[0])) + "]"


def assert_reads_as_the_page(text: str) -> None:
    written = write_markdown(text, NUMBERS)
    file, page = read_permissively(written), read_page(text)
    assert file.text == page.text, written
    assert file.links == page.links, written
    assert file.tags <= ALLOWED, written
    assert file.names <= {"href", "start", "class", "style"}, written
    assert all(link.startswith(("http://", "https://")) for link in file.links), written
    assert read_permissively(write_markdown(written, {})).text == file.text, written


@given(TEXTS)
@settings(max_examples=150 * samples.ROUNDS, deadline=None)
@example("[s1]: javascript:alert(1)\n\nSee [s1].")
@example("See [s1](javascript:alert(1)).")
@example("[x]: https://x.example\n\n[x]")
@example("```\nopen [s1] <b>")
@example("*a*[s9]*b* and _(c)_![d](https://x.example)e")
@example("- a\n\n      <b>\n+ b\n* c\n\n3. d\n\n   > e <i>\n   > - f")
@example("| a <b> | `c\\|d` |\n|:--|--:|\n| x\\|y | [s1] |")
@example("a | b\n:-:")
@example("| a |\n[s9]1. ")
@example("a\n[s9]\nb")
@example("[[s1]](https://e.com) [a [s1] b](https://e.com)")
def test_a_file_shows_what_the_page_shows(text: str) -> None:
    assert_reads_as_the_page(text)


def test_all_kinds_of_blocks_show_as_on_the_page() -> None:
    for text in chain(samples.texts(12, 21, lazy=True), samples.like_a_models(5, 22)):
        assert_reads_as_the_page(text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hello **bold _and_ text** with `code` [s1, s2].", "Hello **bold _and_ text** with `code` [1, 2]."),
        ("See [here](https://e.com/?a=1&b=2).", "See [here](https://e.com/?a=1&amp;b=2)."),
        ("# One\n\nTwo\n---", "### One\n\n### Two"),
        ("- a\n- b\n  - c\n\n9. d\n10. e", "- a\n- b\n  - c\n\n9. d\n10. e"),
        ("* a\n\n  b", "- a\n\n  b"),
        ("> a\n> b", "> a\n> b"),
        ("| a | b |\n|---|--:|\n| 1 | [s1] |", "| a | b |\n| --- | ---: |\n| 1 | [1] |"),
        ("```py\nx = 1\n```", "```py\nx = 1\n```"),
        ("    x = 1", "```\nx = 1\n```"),
        ("a  \nb\nc", "a\\\nb\nc"),
        ("3 < 4 & *so* on_it.", "3 &lt; 4 & *so* on\\_it."),
        ("[x](javascript:y) <b>", "\\[x\\](javascript:y) &lt;b>"),
    ],
)
def test_a_text_is_written_as_people_write_it(text: str, written: str) -> None:
    assert write_markdown(text, NUMBERS) == written


def test_a_page_without_ids_is_the_file() -> None:
    text = "- a [s1]\n- [x](https://e.com)\n\n---\n\n1984. b"
    cited = '<sup class="cite"><a href="#source-1" aria-label="Source 1">1</a></sup>'
    link = '<a href="https://e.com" rel="nofollow noopener">x</a>'
    assert write_html(text, NUMBERS) == f'<ul><li>a{cited}</li><li>{link}</li></ul><hr><ol start="1984"><li>b</li></ol>'


@pytest.mark.parametrize(
    ("text", "inside", "absent"),
    [
        ("<script>alert(1)</script>", "&lt;script&gt;", "<script"),
        ("<img src=x onerror=alert(1)>", "&lt;img", "<img"),
        ("![alt *text*](https://x.example/i.png)", "alt", "<img"),
        ("[x](javascript:alert(1))", "javascript", "href"),
        ("[x](/tokens)", "/tokens", "href"),
        ("[x](data:text/html,hi)", "data:", "href"),
        ("[x](https://x.example 'title')", 'rel="nofollow noopener"', "title="),
        ('[x](https://x.example/"onclick=y)', "%22onclick", '"onclick'),
        ("<https://x.example/?a=<b>>", "&lt;b&gt;", "<b>"),
        ("a <hx-partial hx-target=body>", "&lt;hx-partial", "<hx"),
        ('```"><script>\nx\n```', "x", "script"),
        ('- "><b id=x>', "&lt;b id=x&gt;", "<b"),
        ("[x]: https://x.example\n\n[x]", "[x]", "href"),
        ("2\u00b2. x", "2\u00b2. x", "<ol"),
    ],
)
def test_what_a_model_writes_is_data(text: str, inside: str, absent: str) -> None:
    html = write_html(text, NUMBERS)
    assert inside in html
    assert absent not in html
