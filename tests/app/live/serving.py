"""A small web application with the real stream, and pages as plain as can be: what is tested is the way there.

Run as a program, it is one web process: `python -m tests.app.live.serving PORT REDIS_URL DATABASE_URL PING_SECONDS`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from html import escape
from pathlib import Path

import uvicorn
from litestar import Litestar, MediaType, Router, get
from litestar.di import Provide
from litestar.response import Response
from litestar.static_files import create_static_files_router

from app.accounts.workspaces import Requester
from app.contract.cursors import START
from app.contract.run import Run
from app.contract.status import RunStatus
from app.contract.step import Step
from app.http.errors import respond_to_exception
from app.http.streaming import StreamingLitestar
from app.launcher.web import raise_file_limit
from app.live.fragments import (
    Fragment,
    latest,
    patches,
    render_patches,
    replacements,
)
from app.live.hub import PING_SECONDS, Hub
from app.live.notifications import Notifications
from app.live.shutdown import announce_shutdown
from app.runs.queries import Queries
from app.stores.log import Log
from app.web.runs.live import follow_run, read_status
from tests.app.live.writing import WORKSPACE, Stores

STATIC = Path(__file__).parents[3] / "static"
BACKSTOP_SECONDS = 60
"""After which uvicorn would cut streams that do not end: so late that no test gets there unless they do not."""
TITLES = {status.value: f"{status.value}: A post" for status in RunStatus}


class PlainView:
    """Each step's text in a list item; a bar with the status."""

    def patches(self, run: Run, after: str) -> str:
        return render_patches(patches(roots(run), after))

    def whole(self, run: Run) -> str:
        return render_patches(replacements(roots(run)))


def roots(run: Run) -> tuple[Fragment, ...]:
    items = tuple(
        Fragment(f"s{number}", step.born, step.changed, partial(_item, number, step))
        for number, step in enumerate(run.steps.values())
    )
    body = "".join(item.render() for item in items)
    bar = (
        f'<header id="run" data-run="{run.id}" data-run-status="{run.status}">'
        f"<p data-summary>{len(items)} steps</p></header>"
    )
    return (
        Fragment("run", START, latest([run.changed, *(step.born for step in run.steps.values())]), lambda: bar),
        Fragment(
            "steps", START, START, lambda: f'<ol id="steps">{body}<li id="tail" hidden></li></ol>', items, tail="tail"
        ),
    )


def _item(number: int, step: Step) -> str:
    text = escape(step.counting.text if step.counting else "")
    return (
        f'<li id="s{number}" data-step="{step.path}" data-step-status="{step.status}"><details id="d{number}">'
        f'<summary>More</summary></details><p id="p{number}">{text}</p></li>'
    )


def render_page(run: Run) -> str:
    stream = "" if run.ended else f'data-live="/runs/{run.id}/live?view=run"'
    body = "".join(root.render() for root in roots(run))
    return f"""<!doctype html><html lang="en"><head><title>A post</title>
<script defer src="/static/vendor/htmx.min.js"></script><script defer src="/static/vendor/hx-sse.min.js"></script>
<script defer src="/static/live.js"></script><script defer src="/static/announcements.js"></script></head><body>
<p class="connection" role="status" hidden data-reconnecting="Reconnecting…" data-offline="You're offline."
 data-refused="Reload."></p><p data-announce role="status"></p>
<time id="elapsed" data-since="{run.started_at or ""}"></time>
<p data-stalled-after="90" hidden>Nothing new.</p><button type="button" data-below hidden>New text below</button>
<main id="live" data-cursor="{run.cursor}" {stream}
 data-status="/runs/{run.id}/status" data-titles="{escape(json.dumps(TITLES))}" hx-sse:close="end" hx-swap="none">
{body}</main><form><textarea id="typed"></textarea></form><a id="away" href="/elsewhere">away</a></body></html>"""


@get("/runs/{run_id:str}", media_type=MediaType.HTML)
async def show_run(run_id: str, log: Log) -> Response[str]:
    return Response(render_page(await log.fold(run_id)), headers={"cache-control": "no-cache"})


@get("/elsewhere", media_type=MediaType.HTML)
async def show_elsewhere() -> str:
    return "<!doctype html><title>Elsewhere</title><h1>Elsewhere</h1>"


@get("/viewers")
async def count_viewers(hub: Hub) -> int:
    return hub.viewers


async def _open_view(_kind: str, _run_id: str) -> PlainView:
    return PlainView()


def create_app(stores: Stores, ping_seconds: float = PING_SECONDS) -> Litestar:
    notifications = Notifications(stores.redis)
    hub = Hub(stores.log, notifications, _open_view, ping_seconds)

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        await notifications.start()
        await hub.start()
        with announce_shutdown(hub.close, notifications.close):
            yield
        await hub.stop()
        await notifications.stop()
        await stores.close()

    return StreamingLitestar(
        [show_run, show_elsewhere, count_viewers, follow_run, read_status, _static()],
        dependencies={
            "requester": Provide(lambda: Requester(WORKSPACE), sync_to_thread=False),
            "hub": Provide(lambda: hub, sync_to_thread=False),
            "queries": Provide(lambda: Queries(stores.database, stores.log), sync_to_thread=False),
            "log": Provide(lambda: stores.log, sync_to_thread=False),
        },
        signature_types=[Requester, Hub, Log, Queries],
        exception_handlers={Exception: respond_to_exception},
        lifespan=[lifespan],
        openapi_config=None,
    )


def _static() -> Router:
    return create_static_files_router(path="/static", directories=[STATIC])


async def serve(port: int, redis_url: str, database_url: str, ping_seconds: float) -> None:
    raise_file_limit()
    config = uvicorn.Config(
        create_app(Stores(redis_url, database_url), ping_seconds),
        host="127.0.0.1",
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=BACKSTOP_SECONDS,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])))
