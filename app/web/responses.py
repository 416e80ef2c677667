"""What all pages have in common: the layout's values, ETags, and the live element."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from litestar import Request, Response
from markupsafe import Markup

from app.contract.manifest import Beat
from app.contract.run import Run
from app.contract.settings import Settings
from app.contract.status import RunStatus
from app.http.build import build_version
from app.http.templates import render
from app.live.fragments import Fragment, cursor_of
from app.stores.fleet import Fleet
from app.web.fragments.authorship import names_extractive

HTML = "text/html"
_MOVING = (RunStatus.QUEUED, RunStatus.RUNNING)


def answer_page(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, tag: str = "", **values: Any
) -> Response[str]:
    """Return the page `TEMPLATE.html`. One with a `tag` is not sent again to who has it."""
    if status != 200:
        tag = ""
    elif known := answer_known(request, tag):
        return known
    html = render(f"{template}.html", **values)
    return Response(html, status_code=status, headers=tag_headers(tag), media_type=HTML)


def tag_page(page: str, cursor: str, *beside: Any) -> str:
    """The ETag of a run's page, for a run that has ended at `cursor`; none for one that goes on, without a cursor.

    `beside` is all that the page shows and that its log does not tell. So the tag is known before anything is read
    or rendered: the log up to a cursor never changes, and what makes a page of it is the build.
    """
    if not cursor:
        return ""
    shown = json.dumps([build_version(), page, cursor, *beside], default=str)
    return f'"{hashlib.sha256(shown.encode()).hexdigest()[:32]}"'


def tag_headers(tag: str) -> dict[str, str]:
    """Ask again each time, and be answered with a page only if it is another."""
    return {"etag": tag, "cache-control": "private, no-cache"} if tag else {}


def answer_known(request: Request[Any, Any, Any], tag: str) -> Response[Any] | None:
    """304, if whoever asks has the page with this tag."""
    known = request.headers.get("if-none-match", "")
    if not tag or tag not in {one.strip().removeprefix("W/") for one in known.split(",")}:
        return None
    return Response("", status_code=304, headers=tag_headers(tag), media_type=HTML)


def live_values(kind: str, run: Run, roots: Sequence[Fragment], refused: str) -> dict[str, Any]:
    """What `layouts/live.html` needs: the parts by their id, and the live element's attributes.

    Without JavaScript a page `reloads` itself while its run moves, unless it has a form: what somebody is typing into
    it would be lost. A site's page always has one.
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


async def count_workers(run: Run, fleet: Fleet) -> int | None:
    """How many workers are alive, where it matters: for a run that waits for one."""
    return len(await fleet.workers()) if run.status is RunStatus.QUEUED else None


async def is_extractive(settings: Settings, fleet: Fleet) -> bool:
    """Whether posts are assembled from the site's own sentences: what living workers say, else the settings."""
    return says_extractive(settings, await fleet.workers())


def says_extractive(settings: Settings, beats: list[Beat]) -> bool:
    authors = {beat.author for beat in beats if beat.author}
    if not authors:
        return not settings.model
    return all(map(names_extractive, authors))
