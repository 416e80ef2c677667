"""What people ask of a run: stop, retry, answer."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from litestar import Request, Response, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Who
from app.runs.commands import Commands
from app.runs.errors import InputInvalid, NotPossible, Problem, UnderWay
from app.runs.queries import Queries
from app.runs.view import Context
from app.stores.database import Database
from app.stores.tables import RunRow
from app.web.forms import Form, read_form
from app.web.listings import page_of_run, post_of_run
from app.web.outlines import answer_of, read_outline, say_problems
from app.web.refusals import Refusals, provide_refusals

Asked = Request[Any, Any, Any]
_REFUSALS = {"refusals": Provide(provide_refusals)}


@post("/runs/{run_id:str}/cancellation", dependencies=_REFUSALS)
async def cancel_run(
    request: Asked,
    run_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    database: NamedDependency[Database],
    refusals: NamedDependency[Refusals],
) -> Response[Any]:
    """Stop the run; back to its page."""
    row = await queries.find(run_id, who.workspace_id)
    try:
        await commands.cancel(run_id, who.workspace_id)
    except NotPossible as reason:
        return await refusals.answer(request, row, Context(refused=str(reason)))
    return await _back(database, row)


@post("/runs/{run_id:str}/retries", dependencies=_REFUSALS)
async def retry_step(
    request: Asked,
    run_id: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    database: NamedDependency[Database],
    refusals: NamedDependency[Refusals],
) -> Response[Any]:
    """Retry the step that the form names (all that failed, if it names none); back to the run's page.

    A second click asks for what is under way already: the page shows that.
    """
    row = await queries.find(run_id, who.workspace_id)
    form = await read_form(request)
    path = form["step"]
    try:
        with suppress(UnderWay):
            await commands.retry(run_id, who.workspace_id, [path] if path else [], form["guidance"].strip())
    except NotPossible as reason:
        return await refusals.answer(request, row, Context(refused=str(reason)))
    section = path.partition("/write-section:")[2]
    return await _back(database, row, f"section-{section}" if section else "")


@post("/runs/{run_id:str}/answers/{name:str}", dependencies=_REFUSALS)
async def answer_ask(
    request: Asked,
    run_id: FromPath[str],
    name: FromPath[str],
    who: NamedDependency[Who],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    database: NamedDependency[Database],
    refusals: NamedDependency[Refusals],
) -> Response[Any]:
    """Answer what the run asks. A value that does not fit comes back in its form, with the reason."""
    row = await queries.find(run_id, who.workspace_id)
    form = await read_form(request)
    draft = _draft(form)
    try:
        value = _parse(draft) if isinstance(draft, str) else answer_of(draft)
        await commands.answer(run_id, who.workspace_id, name, form["ask"], value)
    except InputInvalid as invalid:
        problems = _list(invalid) if isinstance(draft, str) else say_problems(draft, invalid)
        return await refusals.answer(request, row, Context(draft=draft, problems=problems, ask=form["ask"]), status=400)
    except NotPossible as reason:
        return await refusals.answer(request, row, Context(refused=str(reason)))
    return await _back(database, row)


async def _back(database: Database, row: RunRow, anchor: str = "") -> Redirect:
    address = page_of_run(row, await post_of_run(database, row))
    return Redirect(f"{address}#{anchor}" if anchor else address, status_code=303)


def _draft(form: Form) -> Any:
    """What was typed: text on a run's own page, an outline on a post's."""
    return form["value"] if "value" in form.values else read_outline(form)


def _parse(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise InputInvalid([Problem("value", "This is not JSON that can be read.")]) from None


def _list(invalid: InputInvalid) -> dict[str, str]:
    """What is wrong with a typed JSON, by its places in it."""
    said: dict[str, str] = {}
    for problem in invalid.problems[:8]:
        place = problem.path.removeprefix("value").removeprefix(".") or "Answer"
        said.setdefault(place, f"{place}: {problem.message}")
    return said
