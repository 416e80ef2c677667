"""The page of a workspace's runs: those that go on and those that ended, live."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from litestar import Request, Response, get
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
    Boards,
    follow_board,
    read_board,
    words_of,
)
from app.web.responses import answer_page

TITLES = {"waiting": "Waiting for you: Activity", "running": "Going on: Activity", "quiet": "Activity"}
"""The tab's title, by how the runs stand together."""

Asked = Request[Any, Any, Any]


@get("/runs")
async def show_activity(
    request: Asked,
    requester: NamedDependency[Requester],
    database: NamedDependency[Database],
    after: FromQuery[str] = "",
) -> Response[str]:
    """Every run of the workspace. The first page is live; `after` leads to those that ended earlier."""
    place = read_place(after) if after else None
    board = await read_board(database, requester.workspace_id, place)
    return answer_page(
        request,
        "activity/show",
        board=board,
        words=words_of,
        later=bool(after),
        titles=json.dumps(TITLES),
        now=datetime.now(UTC),
    )


@get("/runs/live", include_in_schema=False)
async def follow_activity(
    requester: NamedDependency[Requester],
    workspaces: NamedDependency[Workspaces],
    boards: NamedDependency[Boards],
    notifications: NamedDependency[Notifications],
) -> Stream:
    """What changes on that page, as Server-Sent Events, for as long as somebody watches."""

    async def read() -> Board:
        # A browser's workspace comes with its first POST, which may be made in another tab.
        asking = (
            requester
            if requester.workspace_id or not requester.session
            else await workspaces.find_by_session(requester.session)
        )
        return await boards.read(asking.workspace_id)

    return Stream(follow_board(read, notifications), headers=STREAM_HEADERS)


@get("/runs/status", include_in_schema=False)
async def read_activity(
    requester: NamedDependency[Requester], database: NamedDependency[Database]
) -> Response[dict[str, str]]:
    """`{status}`: enough for the title of a hidden tab."""
    board = await read_board(database, requester.workspace_id)
    return Response({"status": board.state}, headers={"cache-control": "no-store"})
