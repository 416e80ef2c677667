"""Statuses of runs and steps."""

from __future__ import annotations

from enum import StrEnum


class RunStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = frozenset({RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING})
ENDED = frozenset(RunStatus) - ACTIVE


def lease_state(status: RunStatus) -> str:
    """Return the state in the lease of a run with this status while nobody holds it: queued, parked or ended."""
    if status in ENDED:
        return "ended"
    return "parked" if status == RunStatus.WAITING else "queued"


class StepStatus(StrEnum):
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


OPEN_STEPS = frozenset({StepStatus.RUNNING, StepStatus.RETRYING})
