"""Exceptions as responses: problem documents in the API, else pages that say what to do. Nothing internal leaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from http import HTTPStatus
from typing import Any

import structlog
from jinja2 import TemplateError
from litestar import Request, Response
from litestar.exceptions import HTTPException, SerializationException
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError

from app.contract.errors import CursorGone, CursorUnreadable, LonghandError, RunUnknown
from app.http.templates import render
from app.runs.errors import InputInvalid, NotPossible, StepUnknown, WorkflowUnknown

PROBLEM = "application/problem+json"
_API_PATHS = ("/healthz", "/readyz", "/metrics")
_STATUSES: dict[type[LonghandError], int] = {
    CursorUnreadable: 400,
    InputInvalid: 400,
    RunUnknown: 404,
    WorkflowUnknown: 404,
    StepUnknown: 404,
    CursorGone: 409,
    NotPossible: 409,
}
_HEADINGS = {
    400: "That could not be read",
    403: "That was not carried out",
    404: "There is no such page",
    405: "That can’t be done here",
    409: "Not now",
    413: "That is too much at once",
}
_BROKEN = "This page broke, your work did not"
_EXPLAINED = {
    403: "What was sent is not allowed from where it came. Open the page anew, and try again from there.",
    405: "This address does not take what was sent to it. Go back to the page and try again from there.",
    413: "What was sent is longer than can be taken at once. Go back, shorten it, and send it again.",
}
"""The text on a page in place of the protocol's own words."""
_UNEXPLAINED = "What was sent is not what this page expects. Go back, open the page anew, and try again."
_NO_BODY = repr("data")
"""Litestar's message on a missing body: it looks for its `data`, and shows the `KeyError`."""
_logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception as a response. `members` are what its problem document has beyond status, title and detail."""

    status: int
    detail: str
    members: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        try:
            return HTTPStatus(self.status).phrase
        except ValueError:
            return "Error"

    @property
    def heading(self) -> str:
        """The heading of an error page."""
        return _HEADINGS.get(self.status, _BROKEN if self.status >= 500 else "That did not work")

    @property
    def plain_detail(self) -> str:
        """The detail for people, who are not helped by the name of an HTTP status."""
        return self.detail if self.detail != self.title else _EXPLAINED.get(self.status, _UNEXPLAINED)


def explain(error: Exception) -> Failure:
    """Return the response to an exception, before it is a page or a problem document."""
    match error:
        case LonghandError():
            status = next((_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES), 500)
            return Failure(status, str(error), _members(error)) if status < 500 else _internal()
        case HTTPException(__cause__=SerializationException() as cause):
            return _unreadable(f"is not JSON that can be read: {cause}")
        case RecursionError():
            return _unreadable("is nested too deeply")
        case HTTPException() if error.status_code < 500:
            return Failure(error.status_code, error.detail, _list_errors(error), error.headers or {})
        case HTTPException(status_code=503):
            return Failure(503, error.detail, {}, error.headers or {})
        case RedisError() | OperationalError():
            return Failure(503, "A store does not answer just now. Nothing is lost.", {}, {"Retry-After": "2"})
        case _:
            return _internal()


def respond_to_exception(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Respond to an exception with a problem document in the API, else with a page."""
    failure = explain(error)
    if failure.status == 503:
        _logger.warning("store away", method=request.method, path=request.url.path, error=str(error))
    elif failure.status >= 500:
        _logger.error("request failed", method=request.method, path=request.url.path, exc_info=error)
    path = request.scope["path"]
    if path == "/api" or path.startswith("/api/") or path in _API_PATHS:
        return _problem(request, failure)
    return _page(failure)


def _problem(request: Request[Any, Any, Any], failure: Failure) -> Response[Any]:
    content = {
        "type": "about:blank",
        "title": failure.title,
        "status": failure.status,
        "detail": failure.detail,
        "instance": request.url.path,
        **failure.members,
    }
    headers = {**failure.headers, "Cache-Control": "no-store"}
    return Response(content, status_code=failure.status, media_type=PROBLEM, headers=headers)


def _page(failure: Failure) -> Response[Any]:
    headers = dict(failure.headers)
    try:
        page = render("errors/show.html", status=failure.status, title=failure.heading, detail=failure.plain_detail)
    except TemplateError as error:
        _logger.error("error page not rendered", exc_info=error)
        page = f"<!doctype html><title>{failure.title}</title><h1>{failure.title}</h1><p>{escape(failure.detail)}</p>"
    return Response(page, status_code=failure.status, media_type="text/html", headers=headers)


def _internal() -> Failure:
    return Failure(500, "Something went wrong here. It was logged; trying again may help.")


def _unreadable(reason: str) -> Failure:
    """Return the response to a body that Litestar could not read."""
    expected = "a JSON object as `Content-Type: application/json`"
    message = f"The body {reason}. Send {expected}, as /api/schema describes it."
    return Failure(400, message, {"errors": [{"path": "", "message": message}]})


def _members(error: LonghandError) -> dict[str, Any]:
    match error:
        case InputInvalid():
            return {"errors": error.as_list()}
        case CursorGone():
            return {"cursor": error.restart}
        case _:
            return {}


def _list_errors(error: HTTPException) -> Mapping[str, Any]:
    """Return Litestar's errors in parameters and bodies, in the form of `InputInvalid`'s."""
    extra = error.extra if isinstance(error.extra, list) else []
    items = [item for item in extra if isinstance(item, dict)]
    if any(item.get("message") == _NO_BODY for item in items):
        return _unreadable("is missing").members
    errors = [{"path": _path(str(item.get("key", ""))), "message": str(item.get("message", ""))} for item in items]
    return {"errors": errors} if errors else {}


def _path(key: str) -> str:
    """Return the path of an error within the body, which Litestar alone calls `data`."""
    return "" if key == "data" else key.removeprefix("data.")
