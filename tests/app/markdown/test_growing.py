"""A text that is being written: what shows of it is the beginning of what it will be, however it comes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.markdown import Growing, read
from tests.app.markdown import samples
from tests.app.markdown.dom import apply, canonical, parse, shown
from tests.app.markdown.subject import NUMBERS, change, follow, page, show

MARKS = "*_~`"


def begins(part: str, whole: str) -> bool:
    """Return whether `whole` begins with `part`, but for marks of emphasis and code that nobody closed: a page shows
    as emphasis what began as such."""
    at = 0
    for sign in part:
        while at < len(whole) and whole[at] != sign and whole[at] in MARKS:
            at += 1
        if whole[at : at + 1] != sign:
            return False
        at += 1
    return True


def all_texts() -> Iterator[str]:
    return chain(samples.texts(4, 1, lazy=True), samples.like_a_models(2, 2), samples.noise(40, 3))


def test_what_shows_is_the_beginning_of_what_will_show() -> None:
    """In these texts all that begins is ended."""
    for text in chain(samples.texts(4, 4), samples.like_a_models(2, 5)):
        whole = shown(show(text, True))
        for end in samples.cuts(text, Random(text), 5):
            assert whole.startswith(shown(show(text[:end], False))), text[:end]


def test_what_shows_is_never_taken_for_markup_later() -> None:
    """Not in any text."""
    for text in all_texts():
        whole, before = shown(show(text, True)), ""
        for end in samples.cuts(text, Random(text), 15):
            now = shown(show(text[:end], False))
            assert begins(now, whole), text[:end]
            assert begins(before, now), text[:end]
            before = now


def test_text_streams_visibly() -> None:
    """Hold back an undecided line or a link, never much more."""
    for text in samples.like_a_models(3, 6):
        whole = len(shown(show(text, True)))
        for end in samples.cuts(text, Random(text), 40):
            seen = len(shown(show(text[:end], False)))
            assert seen >= whole - len(text[end:]) - 160, text[:end]


def test_reading_on_is_reading_anew() -> None:
    for text in all_texts():
        growing = Growing(NUMBERS)
        for end in samples.cuts(text, Random(text), 25):
            assert growing.read(text[:end], False) == read(text[:end], NUMBERS, False), text[:end]
        assert growing.read(text, True) == read(text, NUMBERS, True), text


def test_long_texts_are_read_on_like_short_ones() -> None:
    for number, text in enumerate(samples.texts(2, 7)):
        long = "\n\n".join([text] * 9) + "A sentence of a paragraph, and another one. " * 90
        growing, random = Growing(NUMBERS), Random(number)
        for end in samples.cuts(long, random, 120):
            now = growing.read(long[:end], False)
            assert random.random() > 0.1 or now == read(long[:end], NUMBERS, False), long[:end]


def test_a_page_that_follows_is_the_page_that_is_loaded() -> None:
    for text in all_texts():
        followed, ends = parse(page("")), list(samples.cuts(text, Random(text), 25))
        for end, message in zip(ends, follow(text[:end] for end in ends), strict=True):
            apply(followed, message)
            assert canonical(followed) == canonical(parse(page(text[:end]))), text[:end]


def test_a_page_of_any_length_comes_to_any_later_one() -> None:
    for text in all_texts():
        random = Random(text)
        for _ in range(4):
            before, after = sorted((random.randint(0, len(text)), random.randint(0, len(text))))
            shown_page = parse(page(text[:before]))
            apply(shown_page, change(text[:before], text[:after]))
            assert canonical(shown_page) == canonical(parse(page(text[:after]))), (text[:before], text[before:after])


@settings(max_examples=60 * samples.ROUNDS, deadline=None)
@given(st.lists(st.sampled_from(samples.SIGNS), max_size=40), st.lists(st.integers(1, 9), min_size=1, max_size=9))
def test_any_signs_in_any_pieces(signs: list[str], sizes: list[int]) -> None:
    text = "".join(signs)
    whole, growing, at = shown(show(text, True)), Growing(NUMBERS), 0
    for size in sizes * len(text):
        at += size
        now = growing.read(text[:at], False)
        assert now == read(text[:at], NUMBERS, False)
        assert begins(shown(show(text[:at], False)), whole)
        if at >= len(text):
            break


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("It is **bo", "It is <strong>bo</strong>"),
        ("It is **bold*", "It is <strong>bold</strong>"),
        ("It is *", "It is"),
        ("See [s", "See"),
        ("See [s1]", 'See<sup class="cite"><a href="#source-1" aria-label="Source 1">1</a></sup>'),
        ("See [the list](https://x", "See"),
        ("See `co", "See <code>co</code>"),
        ("See `", "See"),
        ("snake_case", "snake_case"),
        ("AT&am", "AT"),
        ("It is 2 * 3", "It is 2 * 3"),
        ("One\\\n[link", "One"),
        ("One\\\ntwo", "One<br>\ntwo"),
        ("Text\n| a | b", "Text"),
        ("Text\n| a | b |\n|--", "Text"),
        ("Install it:\n```npm", "Install it:"),
        ("Text\n--", "Text"),
    ],
)
def test_the_open_end_is_closed_or_held_back(text: str, seen: str) -> None:
    assert show(text, False) == f"<p>{seen}</p>"


def test_an_open_cell_holds_its_citation_back() -> None:
    assert "[s1" not in show("- > | a | b |\n  > |---|---|\n  > | x [s1", False)


def test_reading_an_earlier_length_again_is_reading_it_anew() -> None:
    text = next(samples.like_a_models(1, 8))
    growing = Growing(NUMBERS)
    for end in (len(text), 10, len(text) // 2, len(text)):
        assert growing.read(text[:end], False) == read(text[:end], NUMBERS, False)
    assert growing.read("Another text.", False) == read("Another text.", NUMBERS, False)


def test_ends_of_lines_of_any_kind_are_the_same() -> None:
    text = "- a\r\n- b\r\r> c\0\ud800\n\nd"
    growing = Growing({})
    for end in range(len(text) + 1):
        assert growing.read(text[:end], False) == read(text[:end], {}, False)
    assert show(text, True) == "<ul><li>a</li><li>b</li></ul><blockquote><p>c\ufffd\ufffd</p></blockquote><p>d</p>"
