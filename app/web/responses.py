"""Responses with pages: live pages of runs, and 304 for ended runs whose page the browser has."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from litestar import Response
from markupsafe import Markup

from app.contract.run import Run
from app.contract.status import RunStatus
from app.http.build import build_version
from app.http.templates import render
from app.live.fragments import Fragment, cursor_of
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.tables import RunRow
from app.web.asks.answers import find_drafts
from app.web.forms import PageRequest
from app.web.fragments.context import PageContext

HTML = "text/html"

PageKind = Literal["post", "site", "run"]
"""Kinds of live pages: each shows a run with fragments of its own."""

_MOVING = (RunStatus.QUEUED, RunStatus.RUNNING)


@dataclass(frozen=True, slots=True)
class RunPage:
    """A live page about a run: of a post, a site, or the run itself.

    `template` shows `values` beside the fragments that `build` returns.
    `etag_values` are all that decides what the page shows beside the run's log, as JSON.
    """

    kind: PageKind
    template: str
    values: Mapping[str, Any]
    etag_values: Sequence[Any]
    build: Callable[[Run, PageContext], tuple[Fragment, ...]]


def respond_with_page(template: str, *, status: int = 200, **values: Any) -> Response[str]:
    """Respond with `TEMPLATE.html`, rendered from `values`."""
    return Response(render(f"{template}.html", **values), status_code=status, media_type=HTML)


async def show_run_page(
    request: PageRequest, page: RunPage, row: RunRow, queries: Queries, log: Log, database: Database, fleet: Fleet
) -> Response[Any]:
    """Respond with the run's page as it is now, or with 304."""

    async def respond(run: Run) -> Response[str]:
        return await respond_with_run_page(page, run, PageContext(), database, fleet)

    return await respond_if_changed(request, page.kind, page.etag_values, row, queries, log, respond)


async def respond_with_run_page(
    page: RunPage, run: Run, context: PageContext, database: Database, fleet: Fleet, *, status: int = 200
) -> Response[str]:
    """Respond with the page of this run. `context` has the refused command or answer that led to it, if any."""
    drafts = {**await find_drafts(page.kind, run, database), **(context.drafts or {})}
    workers = len(await fleet.workers()) if run.status is RunStatus.QUEUED else None
    roots = page.build(run, replace(context, workers=workers, drafts=drafts))
    live = _live_values(page.kind, run, roots, context.refused)
    return respond_with_page(page.template, status=status, **page.values, **live)


async def respond_if_changed(
    request: PageRequest,
    kind: str,
    etag_values: Sequence[Any],
    row: RunRow,
    queries: Queries,
    log: Log,
    respond: Callable[[Run], Awaitable[Response[Any]]],
) -> Response[Any]:
    """Respond with what `respond` makes of the run, or with 304 if the run has ended and the browser has that response.

    The ETag is known before the log is read: the log up to its end never changes, and what the response shows beside it
    is in `kind`, `etag_values` and the build.
    """
    etag = _etag(kind, await queries.end_of(row), etag_values)
    if _is_cached(request, etag):
        return _not_modified(etag)
    run = await log.fold(row.id)
    etag = _etag(kind, run.cursor if run.ended else "", etag_values)
    return _not_modified(etag) if _is_cached(request, etag) else _with_etag(await respond(run), etag)


def _etag(kind: str, end: str, values: Sequence[Any]) -> str:
    """Return the ETag of a page about a run that ended at the cursor `end`; empty without an end."""
    if not end:
        return ""
    shown = json.dumps([build_version(), kind, end, *values], default=str)
    return f'"{hashlib.sha256(shown.encode()).hexdigest()[:32]}"'


def _is_cached(request: PageRequest, etag: str) -> bool:
    known = request.headers.get("if-none-match", "").split(",")
    return bool(etag) and etag in {one.strip().removeprefix("W/") for one in known}


def _not_modified(etag: str) -> Response[Any]:
    return _with_etag(Response("", status_code=304, media_type=HTML), etag)


def _with_etag(response: Response[Any], etag: str) -> Response[Any]:
    """Add the headers by which the browser asks with the ETag each time; none without an ETag."""
    if etag:
        response.set_header("etag", etag)
        response.set_header("cache-control", "private, no-cache")
    return response


def _live_values(kind: str, run: Run, roots: Sequence[Fragment], refused: str) -> dict[str, Any]:
    """Return the values of `layouts/live.html`: the roots' HTML by id, and the attributes of the live element.

    Without JavaScript a page `reloads` itself while its run moves, unless it has a form, whose typed text a reload
    would lose. A site's page always has one.
    """
    parts = {part.id: Markup(part.render()) for part in roots}  # noqa: S704  # HTML already, escaped by its templates
    return {
        "run": run,
        "cursor": cursor_of(run, roots),
        "parts": parts,
        "reloads": run.status in _MOVING and kind != "site" and not any("<textarea" in part for part in parts.values()),
        "kind": kind,
        "refused": refused,
    }
