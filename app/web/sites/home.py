"""The home page: the address field, and the sites so far."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import ONBOARD_SITE
from app.runs.errors import InputInvalid
from app.runs.submission import Submission
from app.stores.database import Database
from app.stores.repositories.listings import site_cards
from app.web.forms import Form, read_form
from app.web.fragments.labels import SITE
from app.web.redirects import is_fragment, lead_to_page
from app.web.responses import answer_page

Asked = Request[Any, Any, Any]


@get("/")
async def show_home(
    request: Asked, requester: NamedDependency[Requester], database: NamedDependency[Database]
) -> Response[str]:
    return await _home(request, requester, database, Form())


@get("/sites")
async def list_sites(
    request: Asked, requester: NamedDependency[Requester], database: NamedDependency[Database]
) -> Response[Any]:
    """The home page's list alone, for a page that brings it up to date; whoever opens the address gets the page."""
    if not is_fragment(request):
        return lead_to_page(request, "/")
    return await _home(request, requester, database, Form(), template="sites/_list")


@post("/sites")
async def create_site(
    request: Asked,
    requester: NamedDependency[Requester],
    submission: NamedDependency[Submission],
    database: NamedDependency[Database],
) -> Response[Any]:
    """Start reading a site. An address that is refused comes back in the form, with the reason."""
    form = await read_form(request)
    try:
        accepted = await submission.submit(ONBOARD_SITE, {"url": form["url"]}, requester.workspace_id or "")
    except InputInvalid as invalid:
        message = " ".join(dict.fromkeys(problem.message for problem in invalid.problems))
        return await _home(request, requester, database, Form(form.values, {"url": message}), status=400)
    return Redirect(f"/sites/{accepted.site_id}", status_code=303)


async def _home(
    request: Asked,
    requester: Requester,
    database: Database,
    form: Form,
    status: int = 200,
    template: str = "sites/index",
) -> Response[str]:
    cards = []
    if requester.workspace_id:
        async with database.reading() as session:
            cards = await site_cards(session, requester.workspace_id)
    return answer_page(request, template, status=status, form=form, cards=cards, words=SITE)
