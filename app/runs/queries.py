"""Reading runs, for the workspace that owns them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from app.contract.errors import CursorUnreadable, RunUnknown
from app.contract.run import Run
from app.runs.schemas import RunSchema, describe_row, describe_run
from app.stores.database import Database
from app.stores.log import Log
from app.stores.repositories import runs
from app.stores.tables import RunRow

_PLACE = re.compile(r"(\d{1,17})-(\w{1,60})", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class RunList:
    """Runs, newest first, and where the list goes on; None at its end."""

    rows: list[RunRow]
    cursor: str | None


class Queries:
    """Everything takes the workspace of who asks; None is somebody who owns nothing yet."""

    def __init__(self, database: Database, log: Log) -> None:
        self._database = database
        self._log = log

    async def find(self, run_id: str, workspace_id: str | None) -> RunRow:
        """The run's row. Raises `RunUnknown` where there is none, or it is another workspace's."""
        if workspace_id:
            async with self._database.reading() as session:
                row = await runs.find_run(session, run_id, workspace_id)
            if row is not None:
                return row
        raise RunUnknown("There is no such run.")

    async def load(self, run_id: str, workspace_id: str | None) -> tuple[RunRow, Run]:
        """The row and the fold of the whole log. Raises `RunUnknown`."""
        row = await self.find(run_id, workspace_id)
        return row, await self._log.fold(run_id)

    async def end_of(self, row: RunRow) -> str:
        """The cursor at which the run has ended, told without reading its log; empty while it goes on, and for the
        moment until its end is archived."""
        return row.shipped if row.sealed and await self._log.ends_at(row.id, row.shipped) else ""

    async def shape(self, run_id: str, workspace_id: str | None) -> RunSchema:
        """The run as the API answers with it. Raises `RunUnknown`."""
        return describe_run(*await self.load(run_id, workspace_id))

    async def page(self, workspace_id: str | None, limit: int, after: str | None = None) -> RunList:
        """The workspace's runs, newest first; `after` is the `cursor` of an earlier list."""
        place = read_place(after) if after else None
        if not workspace_id:
            return RunList([], None)
        async with self._database.reading() as session:
            rows = await runs.list_runs(session, workspace_id, limit + 1, place)
        more, rows = len(rows) > limit, rows[:limit]
        return RunList(rows, write_place(rows[-1].created_at, rows[-1].id) if more else None)

    @staticmethod
    def shapes(rows: RunList) -> tuple[RunSchema, ...]:
        return tuple(map(describe_row, rows.rows))


def write_place(moment: datetime, run_id: str) -> str:
    """Where a list of runs goes on, after the one with this moment and id."""
    return f"{(moment - _EPOCH) // _MICROSECOND}-{run_id}"


def read_place(cursor: str) -> tuple[datetime, str]:
    """The moment and the id. Raises `CursorUnreadable`."""
    match = _PLACE.fullmatch(cursor)
    if match is None:
        raise CursorUnreadable(cursor)
    return _EPOCH + int(match[1]) * _MICROSECOND, match[2]
