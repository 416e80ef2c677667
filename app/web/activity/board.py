"""The activity board: a workspace's runs, and the stream of their changes."""

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
from app.stores.repositories.listings import ListedRun, list_active_runs, list_ended_runs
from app.web.fragments.labels import LABELS_BY_WORKFLOW, RUN_LABELS

MAX_ACTIVE = 100
"""Active runs that are shown, the newest ones."""
PAGE_SIZE = 50
"""Ended runs on one page."""

_SUMMARY = {RunStatus.WAITING: "waiting for you", RunStatus.RUNNING: "at work", RunStatus.QUEUED: "queued"}

_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Board:
    """The runs as SQL lists them, at most a moment behind their logs.

    `next_cursor` is the cursor of the next page, empty on the last one. `is_older_page`: the list does not begin with
    the newest runs.
    """

    active: tuple[ListedRun, ...] = ()
    ended: tuple[ListedRun, ...] = ()
    next_cursor: str = ""
    is_older_page: bool = False

    @property
    def state(self) -> str:
        """The state of the runs together: `waiting` for a person, `running`, or `quiet`."""
        statuses = {run.status for run in self.active}
        return "waiting" if RunStatus.WAITING in statuses else "running" if statuses else "quiet"

    @property
    def summary(self) -> str:
        """How many active runs are in which state, in words."""
        count = Counter(run.status for run in self.active)
        return ", ".join(f"{count[status]} {label}" for status, label in _SUMMARY.items() if count[status])

    @property
    def order(self) -> tuple[object, ...]:
        """All that decides the order and the kinds of rows: a change of it is a change of the whole list."""
        rows = (self.active, self.ended)
        return (*(tuple((run.id, run.status) for run in each) for each in rows), self.next_cursor)


async def read_board(database: Database, workspace_id: str | None, before: tuple[datetime, str] | None = None) -> Board:
    """Read the workspace's board; with `before`, only runs that ended earlier than that end and run id."""
    if not workspace_id:
        return Board()
    async with database.reading() as session:
        active = [] if before else await list_active_runs(session, workspace_id, MAX_ACTIVE)
        ended = await list_ended_runs(session, workspace_id, PAGE_SIZE + 1, before)
    shown, more = ended[:PAGE_SIZE], len(ended) > PAGE_SIZE
    next_cursor = write_place(shown[-1].ended_at, shown[-1].id) if more and shown[-1].ended_at else ""
    return Board(tuple(active), tuple(shown), next_cursor, is_older_page=before is not None)


class BoardReader:
    """Reads boards for all viewers: those of one workspace who ask at the same time share one reading.

    Viewers wake up together, so that each workspace is read once a second, however many watch.
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
        # A viewer who leaves does not cancel the reading of the others.
        return await asyncio.shield(reading)


async def follow_board(read: Callable[[], Awaitable[Board]], notifications: Notifications) -> AsyncGenerator[bytes]:
    """Yield the board, then its changes within about a second, until the process stops.

    There is no cursor: a viewer that reconnects gets the whole board.
    """
    yield encode_opening()
    clock = asyncio.get_running_loop()
    shown: Board | None = None
    sent_at = clock.time()
    with notifications.watch("activity") as tick:  # the id of no run: it is notified once a second
        while not notifications.closing:
            tick.clear()
            board = await _read_or_none(read)
            if board is not None and board != shown:
                yield encode_patch(render_patches(_patches(shown, board)), START, reset=True)
                shown, sent_at = board, clock.time()
            elif clock.time() - sent_at > PING_SECONDS:
                yield PING
                sent_at = clock.time()
            await tick.wait()
    yield encode_closing()


async def _read_or_none(read: Callable[[], Awaitable[Board]]) -> Board | None:
    try:
        return await read()
    except (SQLAlchemyError, OSError) as error:
        # The viewers stay, with the board that they have.
        _logger.warning("Could not read the activity board", error=str(error))
        return None


def _patches(shown: Board | None, board: Board) -> list[Patch]:
    """Return the patches from one board to another: changed rows alone where the list's order is the same."""
    now = datetime.now(UTC)
    if shown is None or shown.order != board.order:
        return [Patch("activity", render("activity/_board.html", board=board, now=now, status_label=status_label))]
    before = {*shown.active, *shown.ended}
    changed = [run for run in (*board.active, *board.ended) if run not in before]
    rows = [render("activity/_run_row.html", run=run, now=now, status_label=status_label) for run in changed]
    return [Patch(f"row-{run.id}", row) for run, row in zip(changed, rows, strict=True)]


def status_label(run: ListedRun) -> str:
    """Return the name of the run's state."""
    return LABELS_BY_WORKFLOW.get(run.workflow, RUN_LABELS).status[run.status]
