"""Citations in Markdown: one grammar for the page, its files, and those who write and check a text."""

from __future__ import annotations

import re
import time

import pytest

from app.content.citations import (
    cited_ids,
    cited_in,
    find_citations,
    replace_citations,
    source_numbers,
    strip_citations,
)
from app.content.values import Source
from app.markdown.export import write_html
from tests.app.markdown import samples


def test_ids_come_once_in_the_order_of_their_first_citation() -> None:
    assert cited_ids("One. [s2] Two [s1, s3]. Three. [s2][s10; s1]") == ["s2", "s1", "s3", "s10"]


@pytest.mark.parametrize(
    "text",
    [
        "`a[s2]` and ``b ` [s2]``",
        "\\[s3]",
        "```\n[s4]\n```",
        "~~~\n[s4]\n~~~",
        "- ```\n  [s4]\n  ```",
        "```\n[s4]",
        "[s] [x1] [1] s1 [s1234567] [s1,]",
    ],
)
def test_what_is_code_or_escaped_is_no_citation(text: str) -> None:
    assert cited_ids(text) == []


@pytest.mark.parametrize(
    "text", ["[s1](https://e.com)", "[s1]: so", "[s1][s1]", "a ` [s1]", "\\\\[s1]", "`` ` `` [s1]"]
)
def test_what_shows_as_a_citation_is_one(text: str) -> None:
    assert cited_ids(text) == ["s1"]


def test_a_page_shows_the_same_citations() -> None:
    numbers = {"s1": 1, "s2": 2, "s9": 9}
    for text in [*samples.like_a_models(20, 41), "`[s1]` \\[s2] [s9]", "```\n[s1]\n```\n[s2]", "[s1](x) [s2]: y"]:
        shown = set(re.findall(r'href="#source-(\d+)"', write_html(text, numbers)))
        assert shown == {str(numbers[one]) for one in cited_ids(text) if one in numbers}, text


def test_a_citation_has_a_place() -> None:
    ((start, end, passages),) = find_citations("See [s1; s2, s1].")
    assert (start, end, passages) == (4, 16, ["s1", "s2"])


def test_each_can_be_replaced_or_left_out() -> None:
    assert replace_citations("A. [s1] B [s1, s2].", lambda ids: f"({'+'.join(ids)})") == "A. (s1) B (s1+s2)."
    assert strip_citations("A. [s1] B [s1, s2].") == "A. B."


def test_numbers_are_those_of_the_sources() -> None:
    numbers = source_numbers([Source(number=3, url="https://e.com", title="x", passages=["s1", "s2"])])
    assert numbers == {"s1": 3, "s2": 3}
    assert cited_in("[s2, s7] [s2]", numbers) == (("s2", 3),)


@pytest.mark.parametrize("piece", ["[s1", "` ", "`a ``b ", "[s1, ", "\\", "```\n", "[s1]", "[s1,         "])
def test_no_text_costs_more_than_it_is_long(piece: str) -> None:
    def cost(length: int) -> float:
        begun = time.process_time()
        find_citations(piece * (length // len(piece)))
        return time.process_time() - begun

    assert min(cost(80_000) / (cost(20_000) + 0.001) for _ in range(5)) < 9
