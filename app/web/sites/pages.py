"""The pages of sites."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import WRITE_POST
from app.contract.run import Run
from app.contract.settings import Settings
from app.runs.errors import InputInvalid
from app.runs.queries import Queries
from app.runs.submission import Submission
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.posts import list_posts
from app.stores.repositories.sites import find_site
from app.stores.tables import PostRow, RunRow, SiteRow
from app.web.forms import Form, read_form
from app.web.fragments.context import Context
from app.web.fragments.labels import POST
from app.web.redirects import is_fragment, lead_to_page
from app.web.responses import (
    answer_known,
    answer_page,
    count_workers,
    is_extractive,
    live_values,
    tag_page,
)
from app.web.sites.view import site_fragments

_LABELS = {"topic": "Topic", "audience": "Audience", "tone": "Tone", "length": "Length"}
_FIELDS = ("topic", "audience", "tone", "length", "approve_outline")
Asked = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a site's page shows besides the run that read it; `tagged` is all of it, for the page's ETag."""

    posts: list[tuple[PostRow, RunRow]]
    extractive: bool
    tagged: list[Any]


@get("/sites/{site_id:str}")
async def show_site(
    request: Asked,
    site_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[str]:
    """The site's page. The form for a post begins with what the query says; `choose` is a suggested topic."""
    site = await find_own_site(database, site_id, requester)
    form = read_choice(request)
    if end := await queries.end_of(await queries.find(site.run_id, requester.workspace_id)):
        beside = await _beside(site, form, database, fleet, settings)
        if known := answer_known(request, tag_page("site", end, *beside.tagged)):
            return known
    run = await log.fold(site.run_id)
    return await answer_site(request, site, form, run, Context(), database, fleet, settings)


@get("/sites/{site_id:str}/posts")
async def list_site_posts(
    request: Asked, site_id: FromPath[str], requester: NamedDependency[Requester], database: NamedDependency[Database]
) -> Response[Any]:
    """The list of posts alone, for a page that brings it up to date; whoever opens the address gets the site's page."""
    site = await find_own_site(database, site_id, requester)
    if not is_fragment(request):
        return lead_to_page(request, f"/sites/{site_id}")
    async with database.reading() as session:
        posts = await list_posts(session, site.id)
    return answer_page(request, "sites/_posts", site=site, posts=posts, post_words=POST)


@post("/sites/{site_id:str}/posts")
async def create_post(
    request: Asked,
    site_id: FromPath[str],
    requester: NamedDependency[Requester],
    submission: NamedDependency[Submission],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Start writing a post. What does not fit comes back in the form, each message at its field."""
    site = await find_own_site(database, site_id, requester)
    form = await read_form(request)
    brief = {name: form[name] for name in ("topic", "audience", "tone")}
    chosen = {"length": form["length"] or "medium", "approve_outline": bool(form["approve_outline"])}
    try:
        accepted = await submission.submit(
            WRITE_POST, {**brief, **chosen, "site_id": site_id}, requester.workspace_id or ""
        )
    except InputInvalid as invalid:
        refused = form.refused(invalid, _LABELS)
        run = await log.fold(site.run_id)
        return await answer_site(request, site, refused, run, Context(), database, fleet, settings, status=400)
    return Redirect(f"/posts/{accepted.post_id}", status_code=303)


def read_choice(request: Asked) -> Form:
    """What the query says of a post that is to be written: all that stood in the form when a topic was chosen."""
    values = {name: request.query_params.get(name, "")[:200] for name in _FIELDS}
    return Form({**values, "topic": request.query_params.get("choose", values["topic"])[:200]})


async def find_own_site(database: Database, site_id: str, requester: Requester) -> SiteRow:
    """The site, if it belongs to who asks; else 404."""
    async with database.reading() as session:
        site = await find_site(session, site_id, requester.workspace_id) if requester.workspace_id else None
    if site is None:
        raise NotFoundException("There is no such site.")
    return site


async def _beside(site: SiteRow, form: Form, database: Database, fleet: Fleet, settings: Settings) -> Beside:
    async with database.reading() as session:
        posts = await list_posts(session, site.id)
    extractive = await is_extractive(settings, fleet)
    listed = [[post.id, post.topic, post.created_at, run.status] for post, run in posts]
    return Beside(posts, extractive, [site.id, site.url, site.profile, form.values, extractive, listed])


async def answer_site(
    request: Asked,
    site: SiteRow,
    form: Form,
    run: Run,
    context: Context,
    database: Database,
    fleet: Fleet,
    settings: Settings,
    status: int = 200,
) -> Response[str]:
    """The site's page. `context` has what was asked of its run, if that could not be done."""
    beside = await _beside(site, form, database, fleet, settings)
    context = replace(context, workers=await count_workers(run, fleet), chosen=form["topic"])
    return answer_page(
        request,
        "sites/show",
        status=status,
        tag=tag_page("site", run.cursor if run.ended else "", *beside.tagged),
        site=site,
        form=form,
        posts=beside.posts,
        post_words=POST,
        extractive=beside.extractive,
        **live_values("site", run, site_fragments(run, context), context.refused),
    )
