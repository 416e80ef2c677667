"""Deliveries: how late each piece of text came to each viewer, and which were lost, doubled or out of order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.contract.cursors import parse_cursor
from bench.figures import percentile
from bench.viewers_writer import marker

Arrival = tuple[float, bytes]
"""When a patch had arrived (Unix time), and its message from `id:` on."""


def head_of(message: bytes) -> str:
    """Return the cursor that a patch brings its page to."""
    return message.partition(b"\n")[0].removeprefix(b"id: ").decode()


def examine(arrivals: Iterable[tuple[str, list[Arrival]]], written: dict[str, list[str]]) -> dict[str, Any]:
    """Return the latencies (ms) from each event's cursor to the socket, and how many events were lost or doubled.

    An event counts as delivered with the first patch at or after it, and only if that patch's HTML holds its text.
    """
    latencies: list[float] = []
    lost = doubled = patches = size = 0
    known: dict[tuple[str, str, str], bytes] = {}
    cursors = {run_id: [parse_cursor(cursor) for cursor in pieces] for run_id, pieces in written.items()}
    for run_id, got in arrivals:
        expected, at, before, last = cursors[run_id], 0, "", (0, 0)
        for moment, message in got:
            head = head_of(message)
            cursor = parse_cursor(head)
            doubled += cursor <= last
            first = at
            while at < len(expected) and expected[at] <= cursor:
                latencies.append((moment - expected[at][0] / 1000) * 1000)
                at += 1
            # All viewers at one position get the same bytes: the text is looked for in the first copy only.
            same = known.setdefault((run_id, head, before), message)
            if same is message:
                lost += sum(marker(index).encode() not in message for index in range(first, at))
            else:
                lost += same != message
            before, last = head, cursor
            patches += 1
            size += len(message)
        lost += len(expected) - at
    return {
        "events": len(latencies),
        "patches": patches,
        "bytes": size,
        "lost": lost,
        "doubled": doubled,
        "p50": percentile(latencies, 0.5) if latencies else 0.0,
        "p99": percentile(latencies, 0.99) if latencies else 0.0,
        "most": max(latencies, default=0.0),
    }
