"""The pages of runs, and what people ask of a run: stop, retry, answer."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Who
from app.contract.fold import Run
from app.contract.settings import Settings
from app.runs.commands import Commands
from app.runs.errors import InputInvalid, Problem, UnderWay
from app.runs.queries import Queries
from app.runs.view import Context
from app.runs.views.run import as_json
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.tables import RunRow
from app.web.forms import read_form
from app.web.listings import page_of_run, posts_of_runs
from app.web.outlines import read_outline
from app.web.pages import answer_known, answer_page, count_workers, is_extractive, live_values, tag_page
from app.web.posts import answer_post, find_own_post

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
    return await _run(request, row, run, Context(), database, fleet, settings)


@post("/runs/{run_id:str}/cancellation")
async def cancel_run(
    run_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    database: NamedDependency[Database],
) -> Redirect:
    """Stop the run; back to its page."""
    row = await queries.find(run_id, who.workspace_id)
    await commands.cancel(run_id, who.workspace_id)
    return await _back(database, row)


@post("/runs/{run_id:str}/retries")
async def retry_step(
    request: Asked,
    run_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    database: NamedDependency[Database],
) -> Redirect:
    """Retry the step that the form names (all that failed, if it names none); back to the run's page.

    A second click asks for what is under way already: the page shows that.
    """
    row = await queries.find(run_id, who.workspace_id)
    form = await read_form(request)
    path = form["step"]
    with suppress(UnderWay):
        await commands.retry(run_id, who.workspace_id, [path] if path else [], form["guidance"].strip())
    section = path.partition("/write-section:")[2]
    return await _back(database, row, f"section-{section}" if section else "")


@post("/runs/{run_id:str}/answers/{name:str}")
async def answer_ask(
    request: Asked,
    run_id: FromPath[str],
    name: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    database: NamedDependency[Database],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Response[Any]:
    """Answer what the run asks. A value that does not fit comes back in its form, with the reason."""
    row, run = await queries.load(run_id, who.workspace_id)
    form = await read_form(request)
    draft: Any = form["value"] if "value" in form.values else read_outline(form)
    try:
        value = _parse(draft) if isinstance(draft, str) else draft
        await commands.answer(run_id, who.workspace_id, name, form["ask"], value)
    except InputInvalid as invalid:
        context = Context(draft=draft, problems=_say(invalid), ask=form["ask"])
        return await _refused(request, row, run, context, who, database, fleet, settings)
    return await _back(database, row)


async def _refused(
    request: Asked,
    row: RunRow,
    run: Run,
    context: Context,
    who: Who,
    database: Database,
    fleet: Fleet,
    settings: Settings,
) -> Response[str]:
    post_id = await _post_id(database, row)
    if post_id is None or isinstance(context.draft, str):
        return await _run(request, row, run, context, database, fleet, settings, status=400)
    found = await find_own_post(database, post_id, who)
    return await answer_post(request, found, run, context, database, fleet, settings, status=400)


async def _run(
    request: Asked,
    row: RunRow,
    run: Run,
    context: Context,
    database: Database,
    fleet: Fleet,
    settings: Settings,
    status: int = 200,
) -> Response[str]:
    _, page, extractive = beside = await _beside(row, database, fleet, settings)
    context = replace(context, workers=await count_workers(run, fleet))
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
    page = page_of_run(row, await _post_id(database, row))
    return row.id, page, await is_extractive(settings, fleet)


async def _back(database: Database, row: RunRow, anchor: str = "") -> Redirect:
    address = page_of_run(row, await _post_id(database, row))
    return Redirect(f"{address}#{anchor}" if anchor else address, status_code=303)


async def _post_id(database: Database, row: RunRow) -> str | None:
    async with database.reading() as session:
        return (await posts_of_runs(session, [row.id], row.workspace_id)).get(row.id)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputInvalid([Problem("value", "This is not JSON that can be read.")]) from None


def _say(invalid: InputInvalid) -> tuple[str, ...]:
    return tuple(f"{p.path.removeprefix('value.') or 'Answer'}: {p.message}" for p in invalid.problems[:8])
