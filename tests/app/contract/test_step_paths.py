"""Paths of steps: part of addresses and logs, so that what was simple stays as it is; and no two keys share one."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.contract.status import is_below, parent_path, step_path


@pytest.mark.parametrize("key", ["pricing", "s1", "a-b", "a_b", "-a.b-", "v1.2", "Größe", "x" * 80, "2026-11-21"])
def test_a_simple_key_stands_in_the_path_as_it_is(key: str) -> None:
    assert step_path("write-post", "write-section", key) == f"write-post/write-section:{key}"


def test_without_a_key_there_is_only_the_name() -> None:
    assert step_path("write-post", "research") == "write-post/research"


def test_any_other_key_can_still_be_read_and_is_always_the_same() -> None:
    path = step_path("w", "read-page", "example.com/about us")
    assert path == step_path("w", "read-page", "example.com/about us")
    assert re.fullmatch(r"w/read-page:example\.com-about-us~[0-9a-f]{10}", path)


ALIKE = ["a/b", "a b", "a-b", "a:b", "a~b", "a//b", "-a/b-", "a?b", "a\tb", "a\ud800b", "a\ud801b", "a/b ", "%61/b"]


def test_keys_that_read_alike_have_paths_of_their_own() -> None:
    assert len({step_path("w", "s", key) for key in ALIKE}) == len(ALIKE)
    assert len({step_path("w", "s", key) for key in ("", "/", "//", " ", "…", "~")}) == 6
    long = ["x" * 80, "x" * 81, "x" * 82, "x/" * 60, "x/" * 61]
    assert len({step_path("w", "s", key) for key in long}) == len(long)


def test_a_key_cannot_pass_for_another_ones_path() -> None:
    taken = step_path("w", "s", "a/b").partition(":")[2]
    assert step_path("w", "s", taken) != step_path("w", "s", "a/b")


@given(st.text(min_size=1), st.text(min_size=1))
@example("a", "A")
def test_a_key_never_reaches_out_of_its_step(first: str, second: str) -> None:
    one, other = step_path("w", "s", first), step_path("w", "s", second)
    assert (one == other) == (first == second)
    assert parent_path(one) == "w" and is_below(one, "w") and not is_below(one, other)
    assert len(one) <= len("w/s:") + 80 and not re.search(r"\s", one)
