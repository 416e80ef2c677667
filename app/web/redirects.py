"""Addresses that take forms, opened as pages: a form that was refused leaves its own in the bar. They lead to the page
that the form stands on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.repositories.listings import page_of_run, post_of_run


@get(["/runs/{run_id:str}/cancellation", "/runs/{run_id:str}/retries", "/runs/{run_id:str}/answers/{name:str}"])
async def lead_to_run(
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
) -> Redirect:
    row = await queries.find(run_id, requester.workspace_id)
    return Redirect(page_of_run(row, await post_of_run(database, row)), status_code=303)


def is_from_own_page(request: Request[Any, Any, Any], run_id: str) -> bool:
    """Whether a form was sent from the run's own page, and not from that of its post or site."""
    try:
        return urlsplit(request.headers.get("referer", "")).path == f"/runs/{run_id}"
    except ValueError:
        return False


@get("/tokens/{token_id:str}/revocation")
async def lead_to_tokens() -> Redirect:
    return Redirect("/tokens", status_code=303)


def lead_to_page(request: Request[Any, Any, Any], address: str) -> Redirect:
    """To the page at `address`, with what the query says."""
    query = request.url.query
    return Redirect(f"{address}?{query}" if query else address, status_code=303)


def is_fragment(request: Request[Any, Any, Any]) -> bool:
    """Whether a page's script asks, for a part of its page."""
    return request.headers.get("hx-request") == "true"
