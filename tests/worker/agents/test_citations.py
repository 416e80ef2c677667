"""Citations in Markdown."""

from __future__ import annotations

import pytest

from worker.agents.citations import UnknownSource, cited_ids, refuse_unknown_citations


def test_lists_each_id_once_in_order() -> None:
    assert cited_ids("One. [s2] Two [s1, s3]. Three. [s2][s10]") == ["s2", "s1", "s3", "s10"]


def test_citations_may_stand_side_by_side() -> None:
    assert cited_ids("One. [s1][s2] Two. [s3] [s4]") == ["s1", "s2", "s3", "s4"]


def test_links_code_and_escapes_are_no_citations() -> None:
    assert cited_ids("[s1](https://x.example) [s1][link] `a[s2]` \\[s3]\n\n```\n[s4]\n```\n") == []


def test_unknown_ids_are_refused_by_name() -> None:
    with pytest.raises(UnknownSource, match="s9") as refused:
        refuse_unknown_citations("A. [s1] B. [s9]", {"s1"})
    assert refused.value.id == "s9"
