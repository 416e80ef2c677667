"""A worker whose workflows are the tests' own: `python -m tests.worker.processes.entry VERSION`.

Its one workflow, `relay`, asks a person between two steps, and says which version executed them.
"""

from __future__ import annotations

import asyncio
import sys

from app.contract.settings import Settings
from worker.main import run_worker
from worker.runtime import Workflow, Workflows, ask, component, say, workflow


def relay(version: str) -> Workflow:
    """The workflow, as this version of it."""

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
    asyncio.run(run_worker(Settings(), Workflows([relay(sys.argv[1])])))
