"""A worker of one workflow, in a version to choose: `python -m tests.worker.engine.relay_worker VERSION`.

The workflow `relay` asks a person between two steps, and logs which version executed each of them.
"""

from __future__ import annotations

import asyncio
import sys

from app.contract.settings import Settings
from worker.main import run_worker
from worker.runtime import Workflow, Workflows, ask, component, say, workflow


def create_relay(version: str) -> Workflow:
    """Return the workflow in this version."""

    @component
    async def note(text: str) -> str:
        say(f"version {version}")
        return text

    @workflow("relay", version=version, title="Relay")
    async def run_relay(text: str) -> str:
        """Two steps, and a person between them."""
        first = await note.key("first")(text)
        answer = await ask("baton", first, str)
        return await note.key("second")(answer)

    return run_relay


if __name__ == "__main__":
    asyncio.run(run_worker(Settings(), Workflows([create_relay(sys.argv[1])])))
