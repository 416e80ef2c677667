"""Snapshots in SQL: folds stored beside the archive, so that a long log need not be read from its beginning."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.contract.cursors import parse_cursor
from app.contract.run import Run
from app.contract.snapshot import dump_run, load_run, snapshot_format
from app.stores.tables import SnapshotRow

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A run's fold after `events` entries of its log. It is as of `run.cursor`, which is an archived entry."""

    run: Run
    events: int


def snapshot_row(run: Run, events: int) -> dict[str, object]:
    """Return the row of a fold of so many events."""
    ms, seq = parse_cursor(run.cursor)
    stored = {"format": snapshot_format(), "body": dump_run(run)}
    return {"run_id": run.id, "ms": ms, "seq": seq, "events": events, **stored}


def load_snapshot(row: SnapshotRow) -> Snapshot | None:
    """Return the snapshot of a row of this version's format; None where the row is damaged."""
    run = load_run(row.body)
    if run is None or run.id != row.run_id or run.cursor != f"{row.ms}-{row.seq}":
        _logger.warning("snapshot not readable", run=row.run_id)
        return None
    return Snapshot(run, row.events)
