"""Authentication of requests: the dependency `requester`, and the session cookie that the first page sets."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.datastructures import MutableScopeHeaders
from litestar.di import NamedDependency
from litestar.exceptions import NotAuthorizedException
from litestar.types import Message, Scope

from app.accounts.sessions import make_session_cookie, new_session, read_session
from app.accounts.workspaces import Requester, Workspaces

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing."""

CHALLENGE = 'Bearer realm="longhand"'
_NEW_SESSION = "new_session"


async def provide_requester(request: Request[Any, Any, Any], workspaces: NamedDependency[Workspaces]) -> Requester:
    """Return the requester of a page. A POST creates the session's workspace if there is none; a GET writes nothing."""
    session = read_session(request.cookies)
    if session is None:
        session = new_session()
        request.scope["state"][_NEW_SESSION] = session
    return await _with_workspace(request, workspaces, await workspaces.find_by_session(session))


async def provide_api_requester(request: Request[Any, Any, Any], workspaces: NamedDependency[Workspaces]) -> Requester:
    """Return the requester of the API, by token or else by the browser's session. Answer 401 without either."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        requester = await workspaces.find_by_token(token.strip())
        if requester is None:
            raise _unauthorized("This token is unknown or was revoked.", f'{CHALLENGE}, error="invalid_token"')
        return requester
    session = read_session(request.cookies)
    if session is None:
        raise _unauthorized("Send a token as `Authorization: Bearer TOKEN`, or a browser's session cookie.", CHALLENGE)
    return await _with_workspace(request, workspaces, await workspaces.find_by_session(session))


async def set_session_cookie(message: Message, scope: Scope) -> None:
    """Set the session cookie with the first page that a browser opens (a `before_send` hook)."""
    if message["type"] != "http.response.start" or scope["path"].startswith(("/api/", "/static/")):
        return
    request: Request[Any, Any, Any] = Request(scope)
    if read_session(request.cookies):
        return
    headers = MutableScopeHeaders.from_message(message)
    is_page = request.method == "GET" and headers.get("content-type", "").startswith("text/html")
    # A form that comes without a cookie creates a workspace as well: its response must set that one's cookie.
    session = None if request.method in SAFE_METHODS else scope["state"].get(_NEW_SESSION)
    if session or is_page:
        headers.add("set-cookie", make_session_cookie(session or new_session(), scope["scheme"]).to_header(header=""))


async def _with_workspace(request: Request[Any, Any, Any], workspaces: Workspaces, requester: Requester) -> Requester:
    if request.method in SAFE_METHODS or requester.workspace_id:
        return requester
    return Requester(await workspaces.ensure(requester), requester.session)


def _unauthorized(detail: str, challenge: str) -> NotAuthorizedException:
    return NotAuthorizedException(detail, headers={"WWW-Authenticate": challenge})
