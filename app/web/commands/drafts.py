"""Drafts of answers, saved while people type."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from app.http.templates import render
from app.runs.drafts import Drafts
from app.runs.errors import NotPossible
from app.web.asks.answers import read_typed
from app.web.commands.form_target import FORM_TARGET, FormTarget
from app.web.forms import read_form
from app.web.redirects import is_htmx_request
from app.web.responses import HTML


@post("/runs/{run_id:str}/drafts", status_code=200, dependencies=FORM_TARGET)
async def save_draft(target: NamedDependency[FormTarget], drafts: NamedDependency[Drafts]) -> Response[str]:
    """Save the form of an ask as its draft. The response is what the form shows as the state of its draft."""
    form = await read_form(target.request)
    if form.truncated:
        return _refuse("This is too long to be kept before you send it; it is still here.", 422)
    try:
        kept_at = await drafts.save(target.row.id, form["ask"], read_typed(form))
    except NotPossible as reason:
        return _refuse(str(reason), 409)
    return Response(render("asks/_draft_status.html", kept_at=kept_at, now=True), media_type=HTML)


@post("/runs/{run_id:str}/drafts/removal", dependencies=FORM_TARGET)
async def delete_draft(target: NamedDependency[FormTarget], drafts: NamedDependency[Drafts]) -> Redirect:
    """Delete the draft: the form begins again with the proposal."""
    await drafts.delete(target.row.id, (await read_form(target.request))["ask"])
    return await target.redirect_back()


@get(["/runs/{run_id:str}/drafts", "/runs/{run_id:str}/drafts/removal"], dependencies=FORM_TARGET)
async def redirect_to_draft(
    target: NamedDependency[FormTarget],
    drafts: NamedDependency[Drafts],
    ask: FromQuery[str] = "",
    view: FromQuery[str] = "",
) -> Response[Any]:
    """Redirect to the page whose form shows the draft: a form that a stream has brought fetches itself from there.

    Respond to such a form with 204 if there is no draft: the form is complete as it is.
    """
    if is_htmx_request(target.request) and ask not in await drafts.list_asks(target.row.id):
        return Response("", status_code=204, media_type=HTML)
    return Redirect(f"/runs/{target.row.id}", status_code=303) if view == "run" else await target.redirect_back()


def _refuse(reason: str, status: int) -> Response[str]:
    return Response(render("asks/_draft_status.html", reason=reason), status_code=status, media_type=HTML)
