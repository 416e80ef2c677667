"""The stream of patches behind a live page, and the run's status for a page whose tab is hidden."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, Parameter
from litestar.response import Response
from litestar.types import ASGIApp

from app.accounts.workspaces import Requester
from app.contract.cursors import START
from app.contract.errors import CursorGone
from app.http.build import build_version
from app.http.streaming import STREAM_HEADERS, StreamResponse
from app.live.hub import Hub
from app.runs.queries import Queries
from app.stores.log import Log
from app.web.forms import PageRequest
from app.web.responses import PageKind


@get("/runs/{run_id:str}/live", include_in_schema=False)
async def follow_run(
    request: PageRequest,
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    hub: NamedDependency[Hub],
    log: NamedDependency[Log],
    after: FromQuery[str] = START,
    view: Annotated[PageKind, Parameter(description="the kind of page")] = "run",
    build: FromQuery[str] = "",
) -> ASGIApp:
    """Stream the patches after a cursor as Server-Sent Events until the run ends. `Last-Event-ID` wins over `after`.

    400 for a cursor that can't be read. A cursor that is no entry of the log any more is answered with a `reset`, and
    so is a page of another build, whose fragments may be others than this build's.
    """
    await queries.find(run_id, requester.workspace_id)
    cursor = request.headers.get("last-event-id") or after
    reset = await _is_gone(log, run_id, cursor) or build not in ("", build_version())
    return StreamResponse(await hub.open(run_id, view, cursor, reset=reset), STREAM_HEADERS)


@get("/runs/{run_id:str}/status", include_in_schema=False)
async def read_status(
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    hub: NamedDependency[Hub],
) -> Response[dict[str, str]]:
    """Return `{status, cursor}`, for the tab's title."""
    await queries.find(run_id, requester.workspace_id)
    status, cursor = await hub.peek(run_id)
    return Response({"status": status, "cursor": cursor}, headers={"cache-control": "no-store"})


async def _is_gone(log: Log, run_id: str, cursor: str) -> bool:
    """Return whether the cursor is no entry of the log any more. Raise `CursorUnreadable` for a text that is none."""
    try:
        await log.check_cursor(run_id, cursor)
    except CursorGone:
        return True
    return False
