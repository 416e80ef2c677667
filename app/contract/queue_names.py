"""The one seam to the queue: names of arq's queue and job. A job carries ids of runs and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

EXECUTE = "execute_runs"
"""The arq function that takes runs, named by its arguments, and goes on with them."""


def queue_name(workflows: Mapping[str, str]) -> str:
    """The queue of the workers that serve exactly these workflow versions, so that blue never gets green's jobs."""
    digest = hashlib.sha256(json.dumps(sorted(workflows.items())).encode()).hexdigest()[:12]
    return f"arq:longhand:{digest}"


def job_id(run_id: str, due_ms: int) -> str:
    """The id of a job that brings this run, and perhaps others.

    arq locks a job by its id for longer than a lease lasts, so each due time is a job of its own. A due time is
    claimed once, so that one run and its due time name the job well enough.
    """
    return f"{run_id}@{due_ms}"
