"""The activity page: the workspace's active and ended runs, live."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Stream

from app.accounts.workspaces import Requester, Workspaces
from app.http.streaming import STREAM_HEADERS
from app.live.notifications import Notifications
from app.runs.queries import read_place
from app.stores.database import Database
from app.web.activity.board import (
    Board,
    BoardReader,
    follow_board,
    read_board,
    status_label,
)
from app.web.responses import respond_with_page

TITLES = {"waiting": "Waiting for you: Activity", "running": "Going on: Activity", "quiet": "Activity"}
"""The tab's title by `Board.state`."""


@get("/runs")
async def show_activity(
    requester: NamedDependency[Requester], database: NamedDependency[Database], after: FromQuery[str] = ""
) -> Response[str]:
    """Show the workspace's runs. The first page is live; `after` is the cursor of a page of runs that ended earlier."""
    place = read_place(after) if after else None
    board = await read_board(database, requester.workspace_id, place)
    return respond_with_page(
        "activity/show",
        board=board,
        status_label=status_label,
        is_older_page=bool(after),
        titles=json.dumps(TITLES),
        now=datetime.now(UTC),
    )


@get("/runs/live", include_in_schema=False)
async def follow_activity(
    requester: NamedDependency[Requester],
    workspaces: NamedDependency[Workspaces],
    boards: NamedDependency[BoardReader],
    notifications: NamedDependency[Notifications],
) -> Stream:
    """Stream the changes of the first page as Server-Sent Events, until the viewer leaves."""

    async def read() -> Board:
        # A browser's workspace is created with its first POST, which may come from another tab.
        current = requester
        if not requester.workspace_id and requester.session:
            current = await workspaces.find_by_session(requester.session)
        return await boards.read(current.workspace_id)

    return Stream(follow_board(read, notifications), headers=STREAM_HEADERS)


@get("/runs/status", include_in_schema=False)
async def read_activity_status(
    requester: NamedDependency[Requester], database: NamedDependency[Database]
) -> Response[dict[str, str]]:
    """Return `{status}`, for the title of a hidden tab."""
    board = await read_board(database, requester.workspace_id)
    return Response({"status": board.state}, headers={"cache-control": "no-store"})
