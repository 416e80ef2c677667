"""The page of API tokens."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.tokens import Tokens
from app.accounts.workspaces import Requester
from app.runs.errors import InputInvalid
from app.runs.validation import check_text
from app.web.forms import Form, PageRequest, read_form
from app.web.responses import respond_with_page

_NAME_LENGTH = 80


@get("/tokens")
async def show_tokens(requester: NamedDependency[Requester], tokens: NamedDependency[Tokens]) -> Response[str]:
    return await _page(requester, tokens, Form())


@post("/tokens")
async def create_token(
    request: PageRequest, requester: NamedDependency[Requester], tokens: NamedDependency[Tokens]
) -> Response[str]:
    """Create a token; only this response shows it."""
    form = await read_form(request)
    name = form["name"].strip()
    problem = _find_problem(name)
    if problem:
        return await _page(requester, tokens, Form(form.values, {"name": problem}), status=400)
    token, text = await tokens.create(requester.workspace_id or "", name)
    return await _page(requester, tokens, Form(), new=(token.name, text), status=201)


@post("/tokens/{token_id:str}/revocation")
async def revoke_token(
    token_id: FromPath[str], requester: NamedDependency[Requester], tokens: NamedDependency[Tokens]
) -> Redirect:
    if not await tokens.revoke(token_id, requester.workspace_id or ""):
        raise NotFoundException("There is no such token.")
    return Redirect("/tokens", status_code=303)


def _find_problem(name: str) -> str:
    """Return why a token can't have this name; empty if it can."""
    if not name:
        return "Give the token a name, so that you know later what you revoke."
    try:
        check_text(name.replace("\n", "\0").replace("\t", "\0"), "name", _NAME_LENGTH)
    except InputInvalid as invalid:
        return f"A name {invalid.problems[0].message}."
    return ""


async def _page(
    requester: Requester, tokens: Tokens, form: Form, status: int = 200, new: tuple[str, str] | None = None
) -> Response[str]:
    listed = await tokens.list(requester.workspace_id) if requester.workspace_id else []
    response = respond_with_page("tokens/show", status=status, form=form, tokens=listed, new=new)
    if new:
        response.set_header("cache-control", "no-store")
    return response
