"""Runs and steps: their states, and how they are named."""

from __future__ import annotations

import hashlib
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


def lease_state(status: RunStatus) -> str:
    """How the lease of a run with this status says it stands while nobody holds it: queued, parked or ended."""
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


def new_id(kind: str) -> str:
    """A new unguessable id such as `run_5f0c…`: 80 random bits."""
    return f"{kind}_{secrets.token_hex(10)}"


_SIMPLE_KEY = re.compile(r"[\w.-]{1,80}")
_NOT_SIMPLE = re.compile(r"[^\w.-]+")


def step_path(parent: str, name: str, key: str = "") -> str:
    """The path of a step: `parent/name` or `parent/name:key`. Different keys give different paths.

    A key of up to 80 word characters, `.` and `-` stands there as it is; of any other what can be read of it, and after
    a `~` a digest that tells it from those that read the same.
    """
    return f"{parent}/{name}:{_readable(key)}" if key else f"{parent}/{name}"


def _readable(key: str) -> str:
    if _SIMPLE_KEY.fullmatch(key):
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{_NOT_SIMPLE.sub('-', key)[:60].strip('-')}~{digest}"


def parent_path(path: str) -> str:
    """The path of the step above; empty for the root."""
    return path.rpartition("/")[0]


def is_below(path: str, ancestor: str) -> bool:
    """Whether `path` names a step inside the step `ancestor` (not the step itself)."""
    return path.startswith(ancestor + "/")
