"""What tests of worker processes look for in logs."""

from __future__ import annotations

from collections.abc import Callable

from app.contract.events import Event
from tests.support.worker_process import Product
from worker.testing import check_log

Seen = Callable[[list[Event]], bool]


def has(type: str, step: str = "", count: int = 1) -> Seen:
    """At least so many events of this type, whose step's path holds `step`."""
    return lambda events: len(find(events, type, step)) >= count


def find(events: list[Event], type: str, step: str = "") -> list[Event]:
    return [event for event in events if event.type == type and step in event.step]


async def check_run(product: Product, run_id: str) -> list[Event]:
    """The log is in order, and SQL has the same one; gives it."""
    await product.wait_until_shipped(run_id)
    events = await product.log.read(run_id)
    assert check_log(events) == []
    kept = await product.archive.read(run_id)
    assert [cursor for cursor, _ in kept] == [event.id for event in events]
    return events
