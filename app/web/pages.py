"""What all pages have in common: the layout's values, ETags, and the live element."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from litestar import Request, Response
from markupsafe import Markup

from app.contract.fold import Run
from app.contract.manifest import Beat
from app.contract.runs import RunStatus
from app.contract.settings import Settings
from app.runs.view import Context, fragments
from app.runs.views.words import RUN, WORDS
from app.stores.fleet import Fleet
from app.web.rendering import render

HTML = "text/html"
EXTRACTIVE = "extractive"


def answer_page(
    request: Request[Any, Any, Any], template: str, *, status: int = 200, settled: bool = False, **values: Any
) -> Response[str]:
    """The page `pages/TEMPLATE.html`. A `settled` one has an ETag, and is not sent again to who has it."""
    html = render(f"pages/{template}.html", **values)
    headers = {}
    if settled and status == 200:
        # A digest of all that is shown: the run's cursor, the templates' version, and whatever stands beside them.
        etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:32]}"'
        headers = {"etag": etag, "cache-control": "private, no-cache"}
        if etag in _known_tags(request):
            return Response("", status_code=304, headers=headers, media_type=HTML)
    return Response(html, status_code=status, headers=headers, media_type=HTML)


def live_values(kind: str, run: Run, context: Context) -> dict[str, Any]:
    """What `layouts/live.html` needs: the parts by their id, and the live element's attributes."""
    words = WORDS.get(run.workflow, RUN)
    titles = {status.value: f"{words.status[status]}: {run.title}" for status in RunStatus}
    return {
        "run": run,
        "parts": {part.id: Markup(part.render()) for part in fragments(kind, run, context)},  # noqa: S704
        "kind": kind,
        "titles": json.dumps(titles, ensure_ascii=False),
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
    return all(author.lower().startswith(EXTRACTIVE) for author in authors)


def _known_tags(request: Request[Any, Any, Any]) -> set[str]:
    header = request.headers.get("if-none-match", "")
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
