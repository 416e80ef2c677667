"""Paths of steps: simple keys stand in them unchanged, and no two keys share a path."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.contract.step_paths import ancestor_paths, is_below, parent_path, step_path


@pytest.mark.parametrize("key", ["pricing", "s1", "a-b", "a_b", "-a.b-", "v1.2", "Größe", "x" * 80, "2026-11-21"])
def test_a_simple_key_stands_in_the_path_unchanged(key: str) -> None:
    assert step_path("write-post", "write-section", key) == f"write-post/write-section:{key}"


def test_without_a_key_there_is_only_the_name() -> None:
    assert step_path("write-post", "research") == "write-post/research"


def test_another_key_stays_readable_and_has_always_the_same_path() -> None:
    path = step_path("w", "read-page", "example.com/about us")
    assert path == step_path("w", "read-page", "example.com/about us")
    assert re.fullmatch(r"w/read-page:example\.com-about-us~[0-9a-f]{10}", path)


ALIKE = ["a/b", "a b", "a-b", "a:b", "a~b", "a//b", "-a/b-", "a?b", "a\tb", "a\ud800b", "a\ud801b", "a/b ", "%61/b"]


def test_keys_with_the_same_readable_characters_have_different_paths() -> None:
    assert len({step_path("w", "s", key) for key in ALIKE}) == len(ALIKE)
    assert len({step_path("w", "s", key) for key in ("", "/", "//", " ", "…", "~")}) == 6
    long = ["x" * 80, "x" * 81, "x" * 82, "x/" * 60, "x/" * 61]
    assert len({step_path("w", "s", key) for key in long}) == len(long)


def test_no_key_has_the_path_of_another_key() -> None:
    taken = step_path("w", "s", "a/b").partition(":")[2]
    assert step_path("w", "s", taken) != step_path("w", "s", "a/b")


@given(st.text(min_size=1), st.text(min_size=1))
@example("a", "A")
def test_a_path_with_a_key_is_directly_below_its_parent(first: str, second: str) -> None:
    one, other = step_path("w", "s", first), step_path("w", "s", second)
    assert (one == other) == (first == second)
    assert parent_path(one) == "w" and is_below(one, "w") and not is_below(one, other)
    assert len(one) <= len("w/s:") + 80 and not re.search(r"\s", one)


@pytest.mark.parametrize(("path", "above"), [("", []), ("w", []), ("w/a/b", ["w/a", "w"])])
def test_ancestor_paths(path: str, above: list[str]) -> None:
    assert list(ancestor_paths(path)) == above
