"""Announcements of workers: manifests of the workflows they can run, and heartbeats."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

HEARTBEAT_SECONDS = 1.0
"""The time between two heartbeats of a worker."""

DEAD_AFTER_SECONDS = 5.0
"""A worker whose last heartbeat is older than this counts as dead."""

STALLED_AFTER_SECONDS = 90.0
"""A held run that has had no event for this long counts as stalled, in workers and in the timer of pages."""


class WorkflowManifest(BaseModel):
    """One workflow as a worker announces it. `title` is a template over the input, such as `Post: {topic}`."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    description: str = ""
    title: str = ""
    input_schema: dict[str, Any]
    output_schema: dict[str, Any]

    def title_for(self, value: dict[str, Any]) -> str:
        """Return the template filled from a run's input, or the workflow's name where that fails."""
        try:
            return self.title.format_map(value)[:200] or self.name
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            return self.name


class Heartbeat(BaseModel):
    """One heartbeat of one worker process. `workflows` maps names to versions; `at` is Redis time in ms.

    `stalled` lists those of its `runs` whose lease is renewed, but whose log does not grow.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    worker: str
    build: str
    runs: list[str] = []
    stalled: list[str] = []
    capacity: int = 1
    workflows: dict[str, str] = {}
    author: str = ""
    leaving: bool = False
    at: int = 0


def version_number(version: str) -> tuple[int, ...]:
    """Return a version as numbers, so that `10` is newer than `9`. A part that is no number counts as 0."""
    return tuple(int(part) if part.isdigit() else 0 for part in version.split("."))
