"""The pages of sites."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import WRITE_POST
from app.contract.settings import Settings
from app.runs.errors import InputInvalid
from app.runs.queries import Queries
from app.runs.submission import Submission
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.posts import list_posts
from app.stores.repositories.sites import find_site
from app.stores.tables import SiteRow
from app.web.forms import Form, PageRequest, read_form
from app.web.fragments.authorship import is_extractive
from app.web.fragments.context import PageContext
from app.web.fragments.labels import POST_LABELS
from app.web.redirects import is_htmx_request, redirect_to_page
from app.web.responses import RunPage, respond_with_page, respond_with_run_page, show_run_page
from app.web.sites.view import build_site_fragments

_LABELS = {"topic": "Topic", "audience": "Audience", "tone": "Tone", "length": "Length"}
_FIELDS = ("topic", "audience", "tone", "length", "approve_outline")


@get("/sites/{site_id:str}")
async def show_site(
    request: PageRequest,
    site_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Show the site's page. The form for a post is filled in from the query; `choose` is a suggested topic."""
    site = await find_own_site(database, site_id, requester)
    row = await queries.find(site.run_id, requester.workspace_id)
    page = await load_site_page(site, _read_query(request), database, fleet, settings)
    return await show_run_page(request, page, row, queries, log, database, fleet)


@get("/sites/{site_id:str}/posts")
async def list_site_posts(
    request: PageRequest,
    site_id: FromPath[str],
    requester: NamedDependency[Requester],
    database: NamedDependency[Database],
) -> Response[Any]:
    """Return the list of posts alone, for its page's script; redirect anybody else to the site's page."""
    site = await find_own_site(database, site_id, requester)
    if not is_htmx_request(request):
        return redirect_to_page(request, f"/sites/{site_id}")
    async with database.reading() as session:
        posts = await list_posts(session, site.id)
    return respond_with_page("sites/_posts", site=site, posts=posts, post_labels=POST_LABELS)


@post("/sites/{site_id:str}/posts")
async def create_post(
    request: PageRequest,
    site_id: FromPath[str],
    requester: NamedDependency[Requester],
    submission: NamedDependency[Submission],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Start writing a post. A refused brief comes back in the form, with an error at each field that does not fit."""
    site = await find_own_site(database, site_id, requester)
    form = await read_form(request)
    brief = {name: form[name] for name in ("topic", "audience", "tone")}
    chosen = {"length": form["length"] or "medium", "approve_outline": bool(form["approve_outline"])}
    try:
        accepted = await submission.submit(
            WRITE_POST, {**brief, **chosen, "site_id": site_id}, requester.workspace_id or ""
        )
    except InputInvalid as invalid:
        page = await load_site_page(site, form.with_errors(invalid, _LABELS), database, fleet, settings)
        run = await log.fold(site.run_id)
        return await respond_with_run_page(page, run, PageContext(), database, fleet, status=400)
    return Redirect(f"/posts/{accepted.post_id}", status_code=303)


def _read_query(request: PageRequest) -> Form:
    """Read the form for a post from the query: all that was in the form when a topic was chosen."""
    values = {name: request.query_params.get(name, "")[:200] for name in _FIELDS}
    return Form({**values, "topic": request.query_params.get("choose", values["topic"])[:200]})


async def find_own_site(database: Database, site_id: str, requester: Requester) -> SiteRow:
    """Find the requester's site; 404 for an unknown one or another workspace's."""
    async with database.reading() as session:
        site = await find_site(session, site_id, requester.workspace_id) if requester.workspace_id else None
    if site is None:
        raise NotFoundException("There is no such site.")
    return site


async def load_site_page(site: SiteRow, form: Form, database: Database, fleet: Fleet, settings: Settings) -> RunPage:
    """Load what a site's page shows beside the log of its reading: its posts, and the form for one."""
    async with database.reading() as session:
        posts = await list_posts(session, site.id)
    extractive = await is_extractive(settings, fleet)
    listed = [[post.id, post.topic, post.created_at, run.status] for post, run in posts]
    return RunPage(
        kind="site",
        template="sites/show",
        values={"site": site, "form": form, "posts": posts, "post_labels": POST_LABELS, "extractive": extractive},
        etag_values=(site.id, site.url, site.profile, form.values, extractive, listed),
        build=lambda run, context: build_site_fragments(run, replace(context, chosen=form["topic"])),
    )
