"""Litestar's side of who is asking: the dependency `who`, and the cookie that the first page sets."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.types import Message, Scope

from app.accounts.sessions import new_session, read_session, session_cookie
from app.accounts.workspaces import Requester, Workspaces

READS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing."""

CHALLENGE = 'Bearer realm="longhand"'
_FRESH = "fresh_session"


async def provide_who(request: Request[Any, Any, Any], workspaces: NamedDependency[Workspaces]) -> Requester:
    """Who asks for a page. After a POST the workspace is there; after a GET nothing was written."""
    session = read_session(request.cookies)
    if session is None:
        session = new_session()
        request.scope["state"][_FRESH] = session
    return await _founded(request, workspaces, await workspaces.of_session(session))


async def provide_api_who(request: Request[Any, Any, Any], workspaces: NamedDependency[Workspaces]) -> Requester:
    """Who asks the API: a token, or else the browser's session. Answers 401 without either."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        who = await workspaces.of_token(token.strip())
        if who is None:
            raise _unauthorized("This token is unknown or was revoked.", f'{CHALLENGE}, error="invalid_token"')
        return who
    session = read_session(request.cookies)
    if session is None:
        raise _unauthorized("Send a token as `Authorization: Bearer TOKEN`, or a browser's session cookie.", CHALLENGE)
    return await _founded(request, workspaces, await workspaces.of_session(session))


async def give_session(message: Message, scope: Scope) -> None:
    """A `before_send` hook: the first page that a browser opens sets its cookie."""
    if message["type"] != "http.response.start" or scope["path"].startswith(("/api/", "/static/")):
        return
    request: Request[Any, Any, Any] = Request(scope)
    if read_session(request.cookies):
        return
    headers = MutableScopeHeaders.from_message(message)
    is_page = request.method == "GET" and headers.get("content-type", "").startswith("text/html")
    # A form that comes without a cookie founds a workspace as well: its answer must say which.
    session = None if request.method in READS else scope["state"].get(_FRESH)
    if session or is_page:
        headers.add("set-cookie", session_cookie(session or new_session(), scope["scheme"]).to_header(header=""))


async def _founded(request: Request[Any, Any, Any], workspaces: Workspaces, who: Requester) -> Requester:
    if request.method in READS or who.workspace_id:
        return who
    return Requester(await workspaces.ensure(who), who.session)


def _unauthorized(detail: str, challenge: str) -> NotAuthorizedException:
    return NotAuthorizedException(detail, headers={"WWW-Authenticate": challenge})
