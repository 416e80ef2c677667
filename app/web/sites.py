"""The home page and the pages of sites."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from app.accounts.workspaces import Who
from app.contract.settings import Settings
from app.runs.errors import InputInvalid
from app.runs.queries import Queries
from app.runs.submission import Submission
from app.runs.view import Context
from app.runs.views.words import POST, SITE
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.posts import list_posts
from app.stores.repositories.sites import find_site
from app.stores.tables import PostRow, RunRow, SiteRow
from app.web.forms import Form, read_form
from app.web.listings import site_cards
from app.web.pages import answer_known, answer_page, count_workers, is_extractive, live_values, tag_page

_LABELS = {"topic": "Topic", "audience": "Audience", "tone": "Tone", "length": "Length"}
Asked = Request[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a site's page shows besides the run that read it; `tagged` is all of it, for the page's ETag."""

    posts: list[tuple[PostRow, RunRow]]
    extractive: bool
    tagged: list[Any]


@get("/")
async def show_home(request: Asked, who: NamedDependency[Who], database: NamedDependency[Database]) -> Response[str]:
    return await _home(request, who, database, Form())


@post("/sites")
async def create_site(
    request: Asked,
    who: NamedDependency[Who],
    submission: NamedDependency[Submission],
    database: NamedDependency[Database],
) -> Response[Any]:
    """Start reading a site. An address that is refused comes back in the form, with the reason."""
    form = await read_form(request)
    try:
        accepted = await submission.submit("onboard-site", {"url": form["url"]}, who.workspace_id or "")
    except InputInvalid as invalid:
        message = " ".join(dict.fromkeys(problem.message for problem in invalid.problems))
        return await _home(request, who, database, Form(form.values, {"url": message}), status=400)
    return Redirect(f"/sites/{accepted.site_id}", status_code=303)


@get("/sites/{site_id:str}")
async def show_site(
    request: Asked,
    site_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
    topic: FromQuery[str] = "",
) -> Response[str]:
    site = await _find(database, site_id, who)
    form = Form({"topic": topic[:200], "length": "medium"})
    if end := await queries.end_of(await queries.find(site.run_id, who.workspace_id)):
        beside = await _beside(site, form, database, fleet, settings)
        if known := answer_known(request, tag_page("site", end, *beside.tagged)):
            return known
    return await _site(request, site, form, database, log, fleet, settings)


@post("/sites/{site_id:str}/posts")
async def create_post(
    request: Asked,
    site_id: FromPath[str],
    who: NamedDependency[Who],
    submission: NamedDependency[Submission],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Start writing a post. What does not fit comes back in the form, each message at its field."""
    site = await _find(database, site_id, who)
    form = await read_form(request)
    brief = {name: form[name] for name in ("topic", "audience", "tone")}
    chosen = {"length": form["length"] or "medium", "approve_outline": bool(form["approve_outline"])}
    try:
        accepted = await submission.submit(
            "write-post", {**brief, **chosen, "site_id": site_id}, who.workspace_id or ""
        )
    except InputInvalid as invalid:
        refused = form.refused(invalid, _LABELS)
        return await _site(request, site, refused, database, log, fleet, settings, status=400)
    return Redirect(f"/posts/{accepted.post_id}", status_code=303)


async def _home(request: Asked, who: Who, database: Database, form: Form, status: int = 200) -> Response[str]:
    cards = []
    if who.workspace_id:
        async with database.reading() as session:
            cards = await site_cards(session, who.workspace_id)
    return answer_page(request, "home", status=status, form=form, cards=cards, words=SITE)


async def _find(database: Database, site_id: str, who: Who) -> SiteRow:
    async with database.reading() as session:
        site = await find_site(session, site_id, who.workspace_id) if who.workspace_id else None
    if site is None:
        raise NotFoundException("There is no such site.")
    return site


async def _beside(site: SiteRow, form: Form, database: Database, fleet: Fleet, settings: Settings) -> Beside:
    async with database.reading() as session:
        posts = await list_posts(session, site.id)
    extractive = await is_extractive(settings, fleet)
    listed = [[post.id, post.topic, post.created_at, run.status] for post, run in posts]
    return Beside(posts, extractive, [site.id, site.url, site.profile, form["topic"], extractive, listed])


async def _site(
    request: Asked,
    site: SiteRow,
    form: Form,
    database: Database,
    log: Log,
    fleet: Fleet,
    settings: Settings,
    status: int = 200,
) -> Response[str]:
    beside = await _beside(site, form, database, fleet, settings)
    run = await log.fold(site.run_id)
    context = Context(workers=await count_workers(run, fleet))
    return answer_page(
        request,
        "site",
        status=status,
        tag=tag_page("site", run.cursor if run.ended else "", *beside.tagged),
        site=site,
        form=form,
        posts=beside.posts,
        post_words=POST,
        extractive=beside.extractive,
        **live_values("site", run, context),
    )
