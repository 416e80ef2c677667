"""The Redis keys of both planes. Every key that Longhand writes is named here."""

from __future__ import annotations

DUE = "due"
"""Sorted set: run ids by the time (ms) at which somebody should pick them up."""

UNSHIPPED = "unshipped"
"""Sorted set: run ids whose log has events that SQL lacks, by the time (ms) at which somebody should ship them."""

HEARTBEATS = "fleet:heartbeats"
"""Capped stream: every worker's pulse."""

MANIFEST = "manifest"
"""Hash: workflow name to the JSON of its `WorkflowManifest`."""


def log_key(run_id: str) -> str:
    """The stream that is the run's hot log."""
    return f"run:{run_id}:log"


def lease_key(run_id: str) -> str:
    """The hash that says who holds the run, in which epoch, until when."""
    return f"run:{run_id}:lease"


def bell_channel(run_id: str) -> str:
    """The pub/sub channel that every append rings with the newest cursor."""
    return f"run:{run_id}:bell"
