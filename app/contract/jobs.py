"""The one seam to the queue: names of arq's queue and job. A job carries a run's id and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

EXECUTE = "execute_run"
"""The arq function that takes a run and goes on with it."""


def queue_name(workflows: Mapping[str, str]) -> str:
    """The queue of the workers that serve exactly these workflow versions, so that blue never gets green's jobs."""
    digest = hashlib.sha256(json.dumps(sorted(workflows.items())).encode()).hexdigest()[:12]
    return f"arq:longhand:{digest}"


def job_id(run_id: str, due_ms: int) -> str:
    """A job's id: arq locks a job by its id for longer than a lease lasts, so each due time is a job of its own."""
    return f"{run_id}@{due_ms}"
