"""Passages keep the page's words, in order, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.content.values import PageBlock, ReadPage
from tests.worker.agents.reading import read_page
from worker.agents.passages import MAX_WORDS, number_passages, split_passages

SENTENCE = st.lists(st.sampled_from(["roof", "barn", "panel", "power", "farm"]), min_size=3, max_size=20).map(
    lambda words: " ".join(words).capitalize() + "."
)
PARAGRAPH = st.lists(SENTENCE, min_size=1, max_size=12).map(" ".join)
BLOCK = st.builds(
    PageBlock, heading=st.sampled_from(["", "Roofs"]), text=st.lists(PARAGRAPH, min_size=1, max_size=6).map("\n\n".join)
)


def test_passages_never_cross_a_heading() -> None:
    page = read_page("solar_battery")
    passages = split_passages(page)
    headings = [block.heading for block in page.blocks]
    assert list(dict.fromkeys(p.heading for p in passages)) == headings
    assert all(len(p.text.split()) <= MAX_WORDS for p in passages)


@given(st.lists(BLOCK, max_size=4))
def test_passages_lose_no_word(blocks: list[PageBlock]) -> None:
    page = ReadPage(url="https://x.example/", title="A page", language="en", blocks=blocks)
    passages = split_passages(page)
    assert " ".join(p.text for p in passages).split() == " ".join(b.text for b in blocks).split()
    assert all(len(p.text.split()) <= MAX_WORDS + 40 for p in passages)


def test_numbers_follow_the_order_given() -> None:
    passages = split_passages(read_page("solar_battery"))
    assert [p.id for p in number_passages(passages[::-1])] == [f"s{n}" for n in range(1, len(passages) + 1)]
