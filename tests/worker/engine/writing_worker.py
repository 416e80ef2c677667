"""A worker whose workflow writes to SQL when a file appears: `python -m tests.worker.engine.writing_worker`.

It writes its process id, so that a late write is found.
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
async def write_process_id(folder: str) -> str:
    """Wait for the file `open`, then write this process's id as a page of the site."""
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
    """Write once."""
    return await write_process_id(folder)


if __name__ == "__main__":
    asyncio.run(run_worker(Settings(), Workflows([ledger])))
