"""The home page: the address field, and the workspace's sites."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import ONBOARD_SITE
from app.runs.errors import InputInvalid
from app.runs.submission import Submission
from app.stores.database import Database
from app.stores.repositories.listings import list_site_cards
from app.web.forms import Form, PageRequest, read_form
from app.web.fragments.labels import SITE_LABELS
from app.web.redirects import is_htmx_request, redirect_to_page
from app.web.responses import respond_with_page


@get("/")
async def show_home(requester: NamedDependency[Requester], database: NamedDependency[Database]) -> Response[str]:
    return await _home(requester, database, Form())


@get("/sites")
async def list_sites(
    request: PageRequest, requester: NamedDependency[Requester], database: NamedDependency[Database]
) -> Response[Any]:
    """Return the list of sites alone, for the home page's script; redirect anybody else to that page."""
    if not is_htmx_request(request):
        return redirect_to_page(request, "/")
    return await _home(requester, database, Form(), template="sites/_cards")


@post("/sites")
async def create_site(
    request: PageRequest,
    requester: NamedDependency[Requester],
    submission: NamedDependency[Submission],
    database: NamedDependency[Database],
) -> Response[Any]:
    """Start reading a site. A refused address comes back in the form, with the reason."""
    form = await read_form(request)
    try:
        accepted = await submission.submit(ONBOARD_SITE, {"url": form["url"]}, requester.workspace_id or "")
    except InputInvalid as invalid:
        message = " ".join(dict.fromkeys(problem.message for problem in invalid.problems))
        return await _home(requester, database, Form(form.values, {"url": message}), status=400)
    return Redirect(f"/sites/{accepted.site_id}", status_code=303)


async def _home(
    requester: Requester, database: Database, form: Form, status: int = 200, template: str = "sites/index"
) -> Response[str]:
    cards = []
    if requester.workspace_id:
        async with database.reading() as session:
            cards = await list_site_cards(session, requester.workspace_id)
    return respond_with_page(template, status=status, form=form, cards=cards, labels=SITE_LABELS)
