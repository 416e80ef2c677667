"""The board of a workspace's runs as the activity page shows it, and the stream that keeps it so."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.contract.cursors import START
from app.contract.status import RunStatus
from app.http.templates import render
from app.live.fragments import Patch, render_patches
from app.live.hub import PING_SECONDS
from app.live.notifications import Notifications
from app.live.sse import PING, encode_closing, encode_opening, encode_patch
from app.runs.queries import write_place
from app.stores.database import Database
from app.stores.repositories.listings import ListedRun, runs_ended, runs_going_on
from app.web.fragments.labels import LABELS, RUN

MOST_GOING_ON = 100
"""Runs that go on and are shown, the newest."""
PAGE = 50
"""Ended runs on one page."""

_SAID = {RunStatus.WAITING: "waiting for you", RunStatus.RUNNING: "at work", RunStatus.QUEUED: "queued"}

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Board:
    """The runs, as SQL lists them: at most a moment behind their logs. `older` is where the list goes on; `later`
    says that it begins in the midst of those that ended."""

    going: tuple[ListedRun, ...] = ()
    ended: tuple[ListedRun, ...] = ()
    older: str = ""
    later: bool = False

    @property
    def state(self) -> str:
        """How the runs stand together: `waiting` for somebody, `running`, or `quiet`."""
        statuses = {run.status for run in self.going}
        return "waiting" if RunStatus.WAITING in statuses else "running" if statuses else "quiet"

    @property
    def summary(self) -> str:
        """How many are in which state, in words."""
        count = Counter(run.status for run in self.going)
        return ", ".join(f"{count[status]} {said}" for status, said in _SAID.items() if count[status])

    @property
    def order(self) -> tuple[object, ...]:
        """What shows in the list itself, beyond what changes within its rows."""
        rows = (self.going, self.ended)
        return (*(tuple((run.id, run.status) for run in each) for each in rows), self.older)


async def read_board(database: Database, workspace_id: str | None, before: tuple[datetime, str] | None = None) -> Board:
    """The workspace's board; `before` leads to the runs that ended earlier, without those that go on."""
    if not workspace_id:
        return Board()
    async with database.reading() as session:
        going = [] if before else await runs_going_on(session, workspace_id, MOST_GOING_ON)
        ended = await runs_ended(session, workspace_id, PAGE + 1, before)
    shown, more = ended[:PAGE], len(ended) > PAGE
    older = write_place(shown[-1].ended_at, shown[-1].id) if more and shown[-1].ended_at else ""
    return Board(tuple(going), tuple(shown), older, later=before is not None)


class Boards:
    """Reads boards for all who watch: those of one workspace who ask at the same time share one reading.

    Viewers wake up together, so that this is one reading a workspace and second, however many watch.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._readings: dict[str, asyncio.Task[Board]] = {}

    async def read(self, workspace_id: str | None) -> Board:
        if not workspace_id:
            return Board()
        reading = self._readings.get(workspace_id)
        if reading is None:
            reading = self._readings[workspace_id] = asyncio.create_task(read_board(self._database, workspace_id))
            reading.add_done_callback(lambda _: self._readings.pop(workspace_id))
        # A viewer who leaves takes the reading from nobody.
        return await asyncio.shield(reading)


async def follow_board(read: Callable[[], Awaitable[Board]], notifications: Notifications) -> AsyncGenerator[bytes]:
    """The board as it is, and then each change of it within about a second, until the process stops.

    There is no cursor to go on from: who comes back gets the board as it is then.
    """
    yield encode_opening()
    clock = asyncio.get_running_loop()
    shown: Board | None = None
    said = clock.time()
    with notifications.watch("activity") as tick:  # the id of no run: notified once a second
        while not notifications.closing:
            tick.clear()
            board = await _try_to_read(read)
            if board is not None and board != shown:
                yield encode_patch(render_patches(_patches(shown, board)), START, reset=True)
                shown, said = board, clock.time()
            elif clock.time() - said > PING_SECONDS:
                yield PING
                said = clock.time()
            await tick.wait()
    yield encode_closing()


async def _try_to_read(read: Callable[[], Awaitable[Board]]) -> Board | None:
    try:
        return await read()
    except (SQLAlchemyError, OSError) as error:
        # The viewers stay, and so does what they have.
        _logger.warning("activity not readable", error=str(error))
        return None


def _patches(shown: Board | None, board: Board) -> list[Patch]:
    """What brings a page from one board to another: rows alone, where their order and their states are the same."""
    now = datetime.now(UTC)
    if shown is None or shown.order != board.order:
        return [Patch("activity", render("activity/_board.html", board=board, now=now, words=words_of))]
    before = {*shown.going, *shown.ended}
    changed = [run for run in (*board.going, *board.ended) if run not in before]
    rows = [render("activity/_row.html", run=run, now=now, words=words_of) for run in changed]
    return [Patch(f"row-{run.id}", row) for run, row in zip(changed, rows, strict=True)]


def words_of(run: ListedRun) -> str:
    """What the run's state is called."""
    return LABELS.get(run.workflow, RUN).status[run.status]
