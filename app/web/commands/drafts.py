"""What is typed for an ask, kept while it is typed."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from litestar.response import Redirect

from app.http.templates import render
from app.runs.errors import NotPossible
from app.web.asks.answers import read_typed
from app.web.commands.form_target import FORM_TARGET, FormTarget
from app.web.forms import read_form
from app.web.redirects import is_htmx_request
from app.web.responses import HTML


@post("/runs/{run_id:str}/drafts", status_code=200, dependencies=FORM_TARGET)
async def keep_draft(own: NamedDependency[FormTarget]) -> Response[str]:
    """Keep what stands in the form of an ask. The answer is what its page says of that."""
    form = await read_form(own.request)
    if form.truncated:
        return _say("This is too long to be kept before you send it; it is still here.", 422)
    try:
        kept_at = await own.drafts.keep(own.row.id, form["ask"], read_typed(form))
    except NotPossible as reason:
        return _say(str(reason), 409)
    return Response(render("asks/_draft_status.html", kept_at=kept_at, now=True), media_type=HTML)


@post("/runs/{run_id:str}/drafts/removal", dependencies=FORM_TARGET)
async def drop_draft(own: NamedDependency[FormTarget]) -> Redirect:
    """Start over from the proposal."""
    await own.drafts.drop(own.row.id, (await read_form(own.request))["ask"])
    return await own.go_back()


@get(["/runs/{run_id:str}/drafts", "/runs/{run_id:str}/drafts/removal"], dependencies=FORM_TARGET)
async def lead_to_draft(
    own: NamedDependency[FormTarget], ask: FromQuery[str] = "", view: FromQuery[str] = ""
) -> Response[Any]:
    """To the page whose form shows the draft: a form that a stream has brought fetches itself from there.

    For that form, nothing where nothing was kept: it is whole as it is.
    """
    if is_htmx_request(own.request) and ask not in await own.drafts.asks(own.row.id):
        return Response("", status_code=204, media_type=HTML)
    return Redirect(f"/runs/{own.row.id}", status_code=303) if view == "run" else await own.go_back()


def _say(reason: str, status: int) -> Response[str]:
    return Response(render("asks/_draft_status.html", reason=reason), status_code=status, media_type=HTML)
