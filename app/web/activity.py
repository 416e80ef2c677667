"""The list of a workspace's runs."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from app.accounts.workspaces import Who
from app.runs.queries import Queries
from app.runs.views.words import RUN, WORDS
from app.stores.database import Database
from app.web.listings import page_of_run, posts_of_runs
from app.web.pages import answer_page

_PAGE = 50


@get("/runs")
async def show_activity(
    request: Request[Any, Any, Any],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    database: NamedDependency[Database],
    after: FromQuery[str] = "",
) -> Response[str]:
    """Every run of the workspace, newest first."""
    found = await queries.page(who.workspace_id, _PAGE, after or None)
    posts: dict[str, str] = {}
    if who.workspace_id and found.rows:
        async with database.reading() as session:
            posts = await posts_of_runs(session, [row.id for row in found.rows], who.workspace_id)
    rows = [(row, page_of_run(row, posts.get(row.id)), WORDS.get(row.workflow, RUN)) for row in found.rows]
    return answer_page(request, "activity", rows=rows, older=found.cursor)
