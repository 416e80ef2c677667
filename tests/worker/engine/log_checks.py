"""Checks on logs that worker processes wrote."""

from __future__ import annotations

from collections.abc import Callable

from app.contract.events import Event
from tests.support.worker_process import Deployment
from worker.testing import check_log

Seen = Callable[[list[Event]], bool]


def has(type: str, step: str = "", count: int = 1) -> Seen:
    """Return a check for at least so many events of this type in steps whose path holds `step`."""
    return lambda events: len(find(events, type, step)) >= count


def find(events: list[Event], type: str, step: str = "") -> list[Event]:
    """Return the events of this type in steps whose path holds `step`."""
    return [event for event in events if event.type == type and step in event.step]


async def check_run(deployment: Deployment, run_id: str) -> list[Event]:
    """Check that the log is in order, and that SQL has the same one; return it."""
    await deployment.wait_until_shipped(run_id)
    events = await deployment.log.read(run_id)
    assert check_log(events) == []
    archived = await deployment.archive.read(run_id)
    assert [cursor for cursor, _ in archived] == [event.id for event in events]
    return events
