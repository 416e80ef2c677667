"""Redirects to pages: from addresses of forms that are opened as pages, and from addresses of parts of a page.

A form that was refused leaves its own address in the browser's bar, from where it may be opened again.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.repositories.listings import find_post_of_run, run_page_address
from app.web.forms import PageRequest


@get(["/runs/{run_id:str}/cancellation", "/runs/{run_id:str}/retries", "/runs/{run_id:str}/answers/{name:str}"])
async def redirect_to_run(
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
) -> Redirect:
    row = await queries.find(run_id, requester.workspace_id)
    return Redirect(run_page_address(row, await find_post_of_run(database, row)), status_code=303)


@get("/tokens/{token_id:str}/revocation")
async def redirect_to_tokens() -> Redirect:
    return Redirect("/tokens", status_code=303)


def redirect_to_page(request: PageRequest, address: str) -> Redirect:
    """Redirect to the page at `address`, with the query of the request."""
    query = request.url.query
    return Redirect(f"{address}?{query}" if query else address, status_code=303)


def is_htmx_request(request: PageRequest) -> bool:
    """Return whether the script of a page requests a part of that page."""
    return request.headers.get("hx-request") == "true"


def is_from_own_page(request: PageRequest, run_id: str) -> bool:
    """Return whether a form was sent from the run's own page, not from that of its post or site."""
    try:
        return urlsplit(request.headers.get("referer", "")).path == f"/runs/{run_id}"
    except ValueError:
        return False
