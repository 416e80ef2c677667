"""Markdown of models: safe, cited, and steady while it is being written."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.oldmarkdown.blocks import split_blocks
from app.oldmarkdown.markdown import render_block
from app.oldmarkdown.unfinished import settle

NUMBERS = {"s1": 1, "s2": 2, "s3": 2}
SAMPLE = """Hello **bold _and_ text** with `code` [s1, s2] and [a link](https://x.example/a?b=1) &amp; more.
A second line, 1984. It went on

- one **b**
- two [s9]

  more of two

1. a
2. b

## A heading [s1]
---
> a quote
> goes on

| a | b |
|---|---|
| 1 | 2 |

```py
x = "<b>"

y
```
The end"""
BEGINNINGS = ["\n", "\n\n", "```", "- ", "1. ", "12", "# ", "> ", "| a |", "|---|", "---", "  ", "="]
INSIDES = ["word", " ", "**", "*", "_", "`", "[s1]", "[", "]", "(https://x.example)", "<b>", "&", "\\", "~~"]
PIECES = st.sampled_from(BEGINNINGS + INSIDES)
TEXTS = st.lists(PIECES, max_size=40).map("".join)


def render(text: str, numbers: dict[str, int] | None = None) -> str:
    return "".join(render_block(block.text, numbers or {}) for block in split_blocks(text, True))


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_a_block_once_begun_stays(text: str) -> None:
    whole = split_blocks(text, True)
    for length in range(len(text)):
        part = split_blocks(text[:length], False)
        assert [block.shown for block in part] == [block.shown for block in whole if block.shown <= length]
        assert [block.text for block in part[:-1]] == [block.text for block in whole[: len(part)][:-1]]
        if part:
            assert whole[len(part) - 1].text.startswith(part[-1].text)


@given(TEXTS, st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_block_is_one_element(text: str, complete: bool) -> None:
    for index, block in enumerate(split_blocks(text, complete)):
        html = render_block(block.text, NUMBERS, f"x-b{index}", complete)
        name = re.match(r"<(\w+) id=\"x-b\d+\"", html)
        assert name is not None
        assert name[1] == "hr" or html.endswith(f"</{name[1]}>")


def test_half_written_markup_never_shows() -> None:
    for length in range(len(SAMPLE) + 1):
        blocks = split_blocks(SAMPLE[:length], False)
        for block in blocks[-1:]:
            shown = re.sub(r"<[^>]*>", "", render_block(block.text, NUMBERS, complete=False))
            assert not re.search(r"[*`\[\]|]|\(http|^\d\.|&amp;a", shown.strip()), (length, shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("It is **bo", "It is **bo**"),
        ("It is **bold**", "It is **bold**"),
        ("It is **bold*", "It is **bold**"),
        ("It is *", "It is"),
        ("See [s", "See"),
        ("See [s1]", "See [s1]"),
        ("See [the list](https://x", "See"),
        ("See `co", "See `co`"),
        ("See `", "See"),
        ("snake_case", "snake_case"),
        ("AT&am", "AT"),
        ("2 * 3", "2 * 3"),
        ("One\\\n[link", "One"),
        ("One\\\n*", "One"),
        ("One\\\ntwo", "One\\\ntwo"),
    ],
)
def test_the_open_end_is_closed_or_held_back(text: str, shown: str) -> None:
    assert settle(text) == shown


def test_citations_become_numbers_of_sources() -> None:
    html = render("True [s1]. Also [s2, s3] and [s9].", NUMBERS)
    assert html.count('<sup class="cite">') == 2
    assert 'True<sup class="cite"><a href="#source-1" aria-label="Source 1">1</a></sup>.' in html
    assert html.endswith("and.</p>")


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
        ("<https://x.example/?a=<b>>", "&lt;b&gt;", "<b>"),
        ("a <hx-partial hx-target=body>", "&lt;hx-partial", "<hx"),
        ("[x]: https://x.example\n\n[x]", "[x]", "href"),
    ],
)
def test_what_a_model_writes_is_data(text: str, inside: str, absent: str) -> None:
    html = render(text)
    assert inside in html
    assert absent not in html


def test_headings_stand_below_the_sections_own() -> None:
    assert render("# One") == "<h3>One</h3>"
    assert render("##### Five") == "<h4>Five</h4>"


def test_a_number_in_a_sentence_begins_no_list() -> None:
    assert render("It was in\n1984. It went on.").count("<p>") == 1
