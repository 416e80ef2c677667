"""Runs and steps: their states, and how they are named."""

from __future__ import annotations

import re
import secrets
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


class StepStatus(StrEnum):
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"


OPEN_STEPS = frozenset({StepStatus.RUNNING, StepStatus.RETRYING})


def new_id(kind: str) -> str:
    """A new unguessable id such as `run_5f0c…`: 80 random bits."""
    return f"{kind}_{secrets.token_hex(10)}"


_KEY_REFUSED = re.compile(r"[^\w.~-]+")


def step_path(parent: str, name: str, key: str = "") -> str:
    """The path of a step: `parent/name` or `parent/name:key`. A key keeps word characters, `.`, `~` and `-`."""
    clean = _KEY_REFUSED.sub("-", key)[:80].strip("-")
    return f"{parent}/{name}:{clean}" if clean else f"{parent}/{name}"


def parent_path(path: str) -> str:
    """The path of the step above; empty for the root."""
    return path.rpartition("/")[0]


def is_below(path: str, ancestor: str) -> bool:
    """Whether `path` names a step inside the step `ancestor` (not the step itself)."""
    return path.startswith(ancestor + "/")
