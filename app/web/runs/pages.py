"""The pages of runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.workspaces import Requester
from app.contract.run import Run
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.listings import page_of_run, post_of_run
from app.stores.tables import RunRow
from app.web.asks.answers import find_drafts
from app.web.fragments.context import Context
from app.web.fragments.json_text import as_json
from app.web.responses import (
    answer_known,
    answer_page,
    count_workers,
    live_values,
    tag_page,
)
from app.web.runs.view import run_fragments

Asked = Request[Any, Any, Any]


@get("/runs/{run_id:str}")
async def show_run(
    request: Asked,
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
    database: NamedDependency[Database],
    fleet: NamedDependency[Fleet],
) -> Response[str]:
    row = await queries.find(run_id, requester.workspace_id)
    if end := await queries.end_of(row):
        beside = await _beside(row, database)
        if known := answer_known(request, tag_page("run", end, *beside)):
            return known
    run = await log.fold(run_id)
    return await answer_run(request, row, run, Context(), database, fleet)


async def answer_run(
    request: Asked,
    row: RunRow,
    run: Run,
    context: Context,
    database: Database,
    fleet: Fleet,
    status: int = 200,
) -> Response[str]:
    """The run's own page. `context` has what was asked of it or typed, if that could not be done or taken."""
    _, page = beside = await _beside(row, database)
    drafts = {**await find_drafts("run", run, database), **(context.drafts or {})}
    context = replace(context, workers=await count_workers(run, fleet), drafts=drafts)
    return answer_page(
        request,
        "runs/show",
        status=status,
        tag=tag_page("run", run.cursor if run.ended else "", *beside),
        row=row,
        page="" if page.startswith("/runs/") else page,
        input=as_json(run.input),
        **live_values("run", run, run_fragments(run, context), context.refused),
    )


async def _beside(row: RunRow, database: Database) -> tuple[str, str]:
    """What the page shows besides the run: its id, and the address of its own page."""
    page = page_of_run(row, await post_of_run(database, row))
    return row.id, page
