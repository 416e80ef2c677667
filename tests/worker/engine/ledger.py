"""A worker whose workflow writes to SQL when a file appears: `python -m tests.worker.processes.ledger`.

What it writes names the process, so that a late write is seen.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from app.content.values import PageNotes, Passage, ReadPage
from app.contract.settings import Settings
from tests.support.site_rows import SITE
from worker.engine.site_knowledge import SiteKnowledge
from worker.main import run_worker
from worker.runtime import Workflows, component, resource, say, workflow

URL = "https://example.com/ledger"


@component
async def enter(folder: str) -> str:
    """Wait for the file `open`, and write."""
    me = str(os.getpid())
    (Path(folder) / f"reached-{me}").touch()
    while not (Path(folder) / "open").exists():
        await asyncio.sleep(0.02)
    say(f"{me} writes")
    passage = Passage(id="s1", url=URL, title=me, heading="", text=f"Written by {me}.")
    await resource(SiteKnowledge).save_page(SITE, ReadPage(url=URL, title=me), PageNotes(summary=me), [passage])
    return me


@workflow("ledger", title="Ledger")
async def ledger(folder: str) -> str:
    """One entry."""
    return await enter(folder)


if __name__ == "__main__":
    asyncio.run(run_worker(Settings(), Workflows([ledger])))
