"""Citations that an author was not allowed to make."""

from __future__ import annotations

import pytest

from worker.agents.citations import UnknownSource, refuse_unknown_citations


def test_unknown_ids_are_refused_by_name() -> None:
    with pytest.raises(UnknownSource, match="s9") as refused:
        refuse_unknown_citations("A. [s1] B. [s9]", {"s1"})
    assert refused.value.id == "s9"
