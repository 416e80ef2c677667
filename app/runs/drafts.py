"""Drafts of answers, saved while people type."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from app.contract.run import Run
from app.runs.errors import NotPossible
from app.runs.queries import catch_up
from app.stores.database import Database
from app.stores.log import Log
from app.stores.repositories.drafts import delete_draft, list_drafts, save_draft
from app.stores.tables import DraftRow

_LONGEST_ID = 200


class Drafts:
    """One draft for each ask of a run; the last one saved counts. The callers have checked who owns the run."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def save(self, run_id: str, ask: str, typed: Any, run: Run | None = None) -> datetime:
        """Save what was typed; return when. Raise `NotPossible` if the run does not ask that, or not any more.

        A caller that has read the run before gives it as `run`, so that only what came since is read.
        """
        if len(ask) > _LONGEST_ID:
            raise NotPossible("There is no such question.")
        row = DraftRow(run_id=run_id, ask=ask, typed=typed)
        async with self._database.writing() as session:
            await save_draft(session, row)
        # Read after the draft was written: an answer that is taken from here on finds the draft and deletes it.
        current = await (catch_up(self._log, run) if run else self._log.fold(run_id))
        if ask not in current.asked:
            await self.delete(run_id, ask)
            raise NotPossible("The run does not ask this any more.")
        return row.kept_at

    async def list_asks(self, run_id: str) -> set[str]:
        """Return the ids of the asks that have a draft."""
        async with self._database.reading() as session:
            return {row.ask for row in await list_drafts(session, run_id)}

    async def delete(self, run_id: str, ask: str) -> None:
        async with self._database.writing() as session:
            await delete_draft(session, run_id, ask)
