"""The stream of patches behind a live page, and how a run stands for a page whose tab is hidden."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.exceptions import ClientException, NotFoundException, ServiceUnavailableException
from litestar.params import FromPath, FromQuery, Parameter
from litestar.response import Response
from litestar.types import ASGIApp
from redis.exceptions import RedisError

from app.accounts.workspaces import Requester
from app.contract.cursors import START
from app.contract.errors import CursorGone, CursorUnreadable
from app.http.build import build_version
from app.http.streaming import STREAM_HEADERS, StreamResponse
from app.live.hub import Hub
from app.stores.database import Database
from app.stores.log import Log
from app.stores.repositories.runs import find_run


@get("/runs/{run_id:str}/live", include_in_schema=False)
async def follow_run(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    hub: NamedDependency[Hub],
    log: NamedDependency[Log],
    database: NamedDependency[Database],
    after: FromQuery[str] = START,
    view: Annotated[Literal["post", "site", "run"], Parameter(description="the kind of page")] = "run",
    build: FromQuery[str] = "",
) -> ASGIApp:
    """The patches after a cursor as Server-Sent Events, until the run ends. `Last-Event-ID` wins over `after`.

    400 for a cursor that can't be read. One that is no entry of the log any more is answered with a `reset`, and so is
    a page of another build: what it is made of may be cut in other parts than here.
    """
    await check_run(database, run_id, requester)
    cursor = request.headers.get("last-event-id") or after
    try:
        reset = await is_gone(log, run_id, cursor) or build not in ("", build_version())
        stream = await hub.open(run_id, view, cursor, reset=reset)
    except RedisError as error:
        raise ServiceUnavailableException(
            "The run's log can't be read just now.", headers={"Retry-After": "2"}
        ) from error
    return StreamResponse(stream, STREAM_HEADERS)


@get("/runs/{run_id:str}/status", include_in_schema=False)
async def read_status(
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    hub: NamedDependency[Hub],
    database: NamedDependency[Database],
) -> Response[dict[str, str]]:
    """`{status, cursor}`: enough for the tab's title."""
    await check_run(database, run_id, requester)
    try:
        status, cursor = await hub.peek(run_id)
    except RedisError as error:
        raise ServiceUnavailableException(
            "The run's log can't be read just now.", headers={"Retry-After": "2"}
        ) from error
    return Response({"status": status, "cursor": cursor}, headers={"cache-control": "no-store"})


async def check_run(database: Database, run_id: str, requester: Requester) -> None:
    """Raises 404 for a run that is not there, or another workspace's."""
    async with database.reading() as session:
        if requester.workspace_id is None or await find_run(session, run_id, requester.workspace_id) is None:
            raise NotFoundException("There is no such run.")


async def is_gone(log: Log, run_id: str, cursor: str) -> bool:
    """Whether the cursor is no entry of the log any more. Raises 400 for what is no cursor."""
    try:
        await log.check_cursor(run_id, cursor)
    except CursorUnreadable as error:
        raise ClientException(str(error)) from error
    except CursorGone:
        return True
    return False
