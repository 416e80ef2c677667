"""What people type for an ask, kept while they type."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.runs.errors import NotPossible
from app.stores.database import Database
from app.stores.log import Log
from app.stores.repositories.drafts import delete_draft, list_drafts, save_draft
from app.stores.tables import DraftRow

_LONGEST_ID = 200


class Drafts:
    """One draft for each ask of a run; the last one typed counts. The run's owner was found before."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def keep(self, run_id: str, ask: str, typed: Any) -> datetime:
        """Keep what was typed; gives when. Raises `NotPossible` where the run does not ask that, or not any more."""
        if len(ask) > _LONGEST_ID:
            raise NotPossible("There is no such question.")
        row = DraftRow(run_id=run_id, ask=ask, typed=typed)
        async with self._database.writing() as session:
            await save_draft(session, row)
        # Asked after it was written: an answer that comes from here on finds the draft, and takes it away.
        run = await self._log.fold(run_id)
        if ask not in run.asked:
            await self.drop(run_id, ask)
            raise NotPossible("The run does not ask this any more.")
        return row.kept_at

    async def asks(self, run_id: str) -> set[str]:
        """The asks for which something is kept."""
        async with self._database.reading() as session:
            return {row.ask for row in await list_drafts(session, run_id)}

    async def drop(self, run_id: str, ask: str) -> None:
        async with self._database.writing() as session:
            await delete_draft(session, run_id, ask)
