"""Archived events of runs."""

from __future__ import annotations

from app.contract.cursors import parse_cursor
from app.stores.tables import EventRow


def archived(run_id: str, cursor: str, body: str) -> EventRow:
    """An entry as a row; for the first one, which is committed with its run."""
    ms, seq = parse_cursor(cursor)
    return EventRow(run_id=run_id, ms=ms, seq=seq, body=body)
