"""The pages of runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from litestar import Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.workspaces import Who
from app.contract.fold import Run
from app.contract.settings import Settings
from app.runs.queries import Queries
from app.runs.view import Context
from app.runs.views.run import as_json
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.tables import RunRow
from app.web.answers import find_drafts
from app.web.listings import page_of_run, post_of_run
from app.web.pages import answer_known, answer_page, count_workers, is_extractive, live_values, tag_page

Asked = Request[Any, Any, Any]


@get("/runs/{run_id:str}")
async def show_run(
    request: Asked,
    run_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
    database: NamedDependency[Database],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[str]:
    row = await queries.find(run_id, who.workspace_id)
    if end := await queries.end_of(row):
        beside = await _beside(row, database, fleet, settings)
        if known := answer_known(request, tag_page("run", end, *beside)):
            return known
    run = await log.fold(run_id)
    return await answer_run(request, row, run, Context(), database, fleet, settings)


async def answer_run(
    request: Asked,
    row: RunRow,
    run: Run,
    context: Context,
    database: Database,
    fleet: Fleet,
    settings: Settings,
    status: int = 200,
) -> Response[str]:
    """The run's own page. `context` has what was asked of it or typed, if that could not be done or taken."""
    _, page, extractive = beside = await _beside(row, database, fleet, settings)
    drafts = {**await find_drafts("run", run, database), **(context.drafts or {})}
    context = replace(context, workers=await count_workers(run, fleet), drafts=drafts)
    return answer_page(
        request,
        "run",
        status=status,
        tag=tag_page("run", run.cursor if run.ended else "", *beside),
        row=row,
        page="" if page.startswith("/runs/") else page,
        input=as_json(run.input),
        extractive=extractive,
        **live_values("run", run, context),
    )


async def _beside(row: RunRow, database: Database, fleet: Fleet, settings: Settings) -> tuple[str, str, bool]:
    """What the page shows besides the run: its id, the address of its own page, and whether authors are extractive."""
    page = page_of_run(row, await post_of_run(database, row))
    return row.id, page, await is_extractive(settings, fleet)
