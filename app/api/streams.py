"""`/api/runs/{id}/events` and `/output`: the log and the text of a run, at once or as streams."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException
from litestar.params import FromPath, Parameter
from litestar.response import Stream
from typing_extensions import TypedDict

from app.accounts.workspaces import Requester
from app.api.documentation import ApiOperation, EventsOperation, succeeds
from app.api.negotiation import choose_media_type
from app.api.problems import problems
from app.contract.codec import event_to_dict
from app.contract.cursors import START
from app.contract.events import Event
from app.contract.run import Run
from app.http.streaming import UNBUFFERED
from app.live.hub import PING_SECONDS
from app.live.sse import encode_comment, encode_event
from app.runs.following import Follower
from app.runs.output import OutputText
from app.runs.queries import Queries
from app.stores.log import Log

_JSON, _LINES, _SSE = "application/json", "application/x-ndjson", "text/event-stream"


class EventSchema(TypedDict):
    """An event of a log. `step` is empty for what concerns the whole run; what `data` holds goes by `type`."""

    id: str
    type: str
    at: datetime
    step: str
    attempt: int
    epoch: int
    data: dict[str, Any]


class EventPageSchema(TypedDict):
    """Events in order. `cursor` is where to go on; `more` says whether there is more by now."""

    events: list[EventSchema]
    cursor: str
    more: bool


@get(
    "/runs/{run_id:str}/events",
    operation_class=EventsOperation,
    responses={**succeeds(EventPageSchema, "The log after the cursor"), **problems(400, 404, 406, 409)},
)
async def get_events(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
    follower: NamedDependency[Follower],
    after: Annotated[str, Parameter(description="a cursor; `Last-Event-ID` wins over it")] = START,
    limit: Annotated[int, Parameter(ge=1, le=10_000, description="only for JSON")] = 1_000,
) -> Response[Any]:
    """Get the log after a cursor, in the form that `Accept` names.

    `application/json`: what is there now, `{events, cursor, more}`. `text/event-stream` and `application/x-ndjson`:
    what is there, then what comes, until the run ends. A cursor that can't be read is 400; one that is no entry of the
    log any more is 409, and `cursor` says where to start again.
    """
    await queries.find(run_id, requester.workspace_id)
    media_type = choose_media_type(",".join(request.headers.getall("accept", [])), (_JSON, _SSE, _LINES))
    if media_type is None:
        raise HTTPException(f"The log can be had as {_JSON}, {_SSE} or {_LINES}.", status_code=406)
    cursor = request.headers.get("last-event-id") or after or START
    await log.check_cursor(run_id, cursor)
    if media_type == _JSON:
        return Response(_page(await log.read(run_id, cursor), cursor, limit), headers={"Cache-Control": "no-store"})
    batches = follower.follow(run_id, cursor)
    frames = _sse(batches) if media_type == _SSE else _lines(batches)
    return Stream(frames, media_type=media_type, headers=UNBUFFERED)


@get(
    "/runs/{run_id:str}/output",
    media_type="text/plain",
    operation_class=ApiOperation,
    responses={**succeeds(str, "The text", "text/plain"), **problems(404)},
)
async def get_output(
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    follower: NamedDependency[Follower],
) -> Stream:
    """Get the text of succeeded steps in document order, sent as they succeed; ends with the run.

    In a post's text, `[1]` cites the source of that number in the run's `output`.
    """
    await queries.find(run_id, requester.workspace_id)
    return Stream(_text(run_id, follower), media_type="text/plain; charset=utf-8", headers=UNBUFFERED)


def _page(events: list[Event], cursor: str, limit: int) -> dict[str, Any]:
    shown = events[:limit]
    return {
        "events": [event_to_dict(event) for event in shown],
        "cursor": shown[-1].id if shown else cursor,
        "more": len(events) > limit,
    }


def _to_json(event: Event) -> str:
    """Return what `envelope` returns, as JSON on one line."""
    return event.model_dump_json(exclude={"reason"})


async def _sse(batches: AsyncIterator[list[Event]]) -> AsyncIterator[bytes]:
    yield encode_comment("follows")
    sent = time.monotonic()
    async for events in batches:
        if events:
            yield b"".join(encode_event(_to_json(event), id=event.id) for event in events)
        elif time.monotonic() - sent >= PING_SECONDS:
            yield encode_comment("ping")
        else:
            continue
        sent = time.monotonic()


async def _lines(batches: AsyncIterator[list[Event]]) -> AsyncIterator[bytes]:
    async for events in batches:
        if events:
            yield "".join(_to_json(event) + "\n" for event in events).encode()


async def _text(run_id: str, follower: Follower) -> AsyncIterator[bytes]:
    run, output = Run(id=run_id), OutputText()
    async for events in follower.follow(run_id):
        for event in events:
            run.apply(event)
        if events and (text := output.advance(run)):
            yield text.encode()
