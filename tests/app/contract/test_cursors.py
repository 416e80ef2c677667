from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.contract.cursors import START, is_after, parse_cursor
from app.contract.errors import CursorUnreadable

part = st.integers(0, 2**63 - 1)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(part, part, part, part)
def test_cursors_order_as_their_numbers(a: int, b: int, c: int, d: int) -> None:
    assert is_after(f"{a}-{b}", f"{c}-{d}") == ((a, b) > (c, d))
    assert parse_cursor(f"{a}-{b}") == (a, b)


@pytest.mark.parametrize(
    "text", ["", "1", "1-", "-1", "1-2-3", " 1-2", "1-2\n", "a-b", "١-٢", f"{2**63}-0", "1" * 30 + "-0", "+1-0"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(CursorUnreadable):
        parse_cursor(text)


def test_start_is_before_all() -> None:
    assert is_after("0-1", START) and not is_after(START, START)
