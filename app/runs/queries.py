"""Reading runs, for the workspace that owns them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from app.contract.errors import CursorGone, CursorUnreadable, RunUnknown
from app.contract.run import Run
from app.stores.database import Database
from app.stores.log import Log
from app.stores.repositories import runs
from app.stores.tables import RunRow

_PLACE = re.compile(r"(\d{1,17})-(\w{1,60})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class LoadedRun(NamedTuple):
    """A run as SQL lists it, and its state as its log has it."""

    row: RunRow
    run: Run


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, newest first, and the cursor after which the list continues; None at its end."""

    rows: list[RunRow]
    cursor: str | None


class Queries:
    """Reads runs. Every method takes the requester's workspace; None is a requester who owns nothing yet."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def find(self, run_id: str, workspace_id: str | None) -> RunRow:
        """Return the run's row. Raise `RunUnknown` if there is none, or if it is another workspace's."""
        if workspace_id:
            async with self._database.reading() as session:
                row = await runs.find_run(session, run_id, workspace_id)
            if row is not None:
                return row
        raise RunUnknown("There is no such run.")

    async def load(self, run_id: str, workspace_id: str | None) -> LoadedRun:
        """Return the row and the fold of the whole log. Raise `RunUnknown`."""
        row = await self.find(run_id, workspace_id)
        return LoadedRun(row, await self._log.fold(run_id))

    async def end_of(self, row: RunRow) -> str:
        """Return the cursor at which the run has ended, without reading its log. Return "" while the run goes on, and
        until its end is archived."""
        return row.shipped if row.sealed and await self._log.ends_at(row.id, row.shipped) else ""

    async def list_runs(self, workspace_id: str | None, limit: int, after: str | None = None) -> RunList:
        """List the workspace's runs, newest first; `after` is the `cursor` of an earlier list."""
        place = read_place(after) if after else None
        if not workspace_id:
            return RunList([], None)
        async with self._database.reading() as session:
            rows = await runs.list_runs(session, workspace_id, limit + 1, place)
        more, rows = len(rows) > limit, rows[:limit]
        return RunList(rows, write_place(rows[-1].created_at, rows[-1].id) if more else None)


async def catch_up(log: Log, run: Run) -> Run:
    """Return the run as its log is now, reading only what came after `run`, which is changed in place.

    A log that was lost and restored without the run's last entry is folded again from its beginning.
    """
    try:
        await log.check_cursor(run.id, run.cursor)
    except CursorGone:
        return await log.fold(run.id)
    for event in await log.read(run.id, run.cursor):
        run.apply(event)
    return run


def write_place(moment: datetime, run_id: str) -> str:
    """Return the cursor after which a list of runs continues: the moment and the id of its last run."""
    return f"{(moment - _EPOCH) // _MICROSECOND}-{run_id}"


def read_place(cursor: str) -> tuple[datetime, str]:
    """Return the moment and the id in a cursor of a list. Raise `CursorUnreadable`."""
    match = _PLACE.fullmatch(cursor)
    if match is None:
        raise CursorUnreadable(cursor)
    return _EPOCH + int(match[1]) * _MICROSECOND, match[2]
