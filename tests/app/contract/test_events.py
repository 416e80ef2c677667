"""The time of events."""

from __future__ import annotations

from datetime import UTC

from app.contract import events as e


def test_now_has_whole_milliseconds_in_utc() -> None:
    assert e.now().microsecond % 1000 == 0 and e.now().tzinfo is UTC
