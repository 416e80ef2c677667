"""Slugs are ids, whatever the text."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.slugs import make_slug, make_unique_slug


@given(st.text(max_size=200))
def test_slugs_are_ids(text: str) -> None:
    slug = make_slug(text)
    assert 1 <= len(slug) <= 50
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("What It Costs", "what-it-costs"),
        ("Don’t panic: it's 3.5 kW", "dont-panic-its-3-5-kw"),
        ("Über Glocken!", "uber-glocken"),
        ("snake_case, AT&T & C++", "snake-case-at-t-c"),
        ("鐘", "section"),
        ("x" * 80, "x" * 50),
        (
            "Corruption following switches between rollback and WAL",
            "corruption-following-switches-between-rollback-and",
        ),
    ],
)
def test_headings_as_slugs(text: str, slug: str) -> None:
    assert make_slug(text) == slug


def test_a_slug_that_is_taken_gets_a_number() -> None:
    assert make_unique_slug("Prices", {"prices", "prices-2"}) == "prices-3"
