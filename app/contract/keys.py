"""The Redis keys and channels of both planes, all of them, and the names of the queue's jobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

DUE = "due"
"""Sorted set: run ids by the time (ms) at which a worker should take them."""

UNSHIPPED = "unshipped"
"""Sorted set: ids of runs whose log has events that SQL lacks, by the time (ms) at which they should be shipped."""

HEARTBEATS = "fleet:heartbeats"
"""Capped stream: the heartbeats of all workers."""

MANIFEST = "manifest"
"""Hash: workflow name to the JSON of its `WorkflowManifest`."""

EXECUTE_JOB = "execute_runs"
"""The arq function that takes the runs whose ids are its arguments. A job carries nothing else."""


def log_key(run_id: str) -> str:
    """Return the key of the stream that is the run's hot log."""
    return f"run:{run_id}:log"


def lease_key(run_id: str) -> str:
    """Return the key of the hash that says who holds the run, in which epoch, until when."""
    return f"run:{run_id}:lease"


def notification_channel(run_id: str) -> str:
    """Return the pub/sub channel on which every append publishes the log's newest cursor."""
    return f"run:{run_id}:bell"


def rate_limit_keys(model: str) -> list[str]:
    """Return the keys behind a model's limits, as the rate limiter's Lua functions take them.

    They are a sorted set of calls by start, a hash of tokens by call, and a sorted set of calls by the end of their
    lease.
    """
    # The first word must not change: workers of two versions share these limits during a deploy.
    return [f"governor:{model}:{part}" for part in ("calls", "tokens", "held")]


def queue_key(workflows: Mapping[str, str]) -> str:
    """Return arq's queue of the workers that serve exactly these workflow versions: no other worker gets its jobs."""
    digest = hashlib.sha256(json.dumps(sorted(workflows.items())).encode()).hexdigest()[:12]
    return f"arq:longhand:{digest}"


def job_id(run_id: str, due_ms: int) -> str:
    """Return the id of a job that brings this run, and perhaps others.

    arq locks a job by its id for longer than a lease lasts, so each due time has a job of its own. A due time is
    claimed once, so one run and its due time identify the job.
    """
    return f"{run_id}@{due_ms}"
