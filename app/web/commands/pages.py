"""Forms that send commands to a run: cancel, retry, answer."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.contract.run import Run
from app.runs.commands import Commands
from app.runs.drafts import Drafts
from app.runs.errors import InputInvalid, NotPossible, UnderWay
from app.web.asks.answers import (
    describe_problems,
    parse_answer,
    read_typed,
)
from app.web.commands.form_target import FORM_TARGET, FormTarget
from app.web.forms import Form, read_form
from app.web.fragments.context import Draft, PageContext


@post("/runs/{run_id:str}/cancellation", dependencies=FORM_TARGET)
async def cancel_run(target: NamedDependency[FormTarget], commands: NamedDependency[Commands]) -> Response[Any]:
    """Cancel the run; back to its page."""
    loaded = await target.load()
    try:
        await commands.cancel(loaded)
    except NotPossible as reason:
        return await target.refuse(loaded, reason)
    return await target.redirect_back()


@post("/runs/{run_id:str}/retries", dependencies=FORM_TARGET)
async def retry_step(target: NamedDependency[FormTarget], commands: NamedDependency[Commands]) -> Response[Any]:
    """Retry the step that the form names, or all that failed if it names none; back to the run's page.

    A second click asks for a retry that is under way already: the page shows that.
    """
    form = await read_form(target.request)
    path = form["step"]
    loaded = await target.load()
    try:
        with suppress(UnderWay):
            await commands.retry(loaded, [path] if path else [], form["guidance"].strip())
    except NotPossible as reason:
        return await target.refuse(loaded, reason)
    return await target.redirect_back(path)


@post("/runs/{run_id:str}/answers/{name:str}", dependencies=FORM_TARGET)
async def answer_ask(
    name: FromPath[str],
    target: NamedDependency[FormTarget],
    commands: NamedDependency[Commands],
    drafts: NamedDependency[Drafts],
) -> Response[Any]:
    """Answer an ask of the run. A value that does not fit comes back in its form, with the reason."""
    form = await read_form(target.request)
    loaded = await target.load()
    try:
        await commands.answer(loaded, name, form["ask"], parse_answer(read_typed(form)))
    except InputInvalid as invalid:
        draft = await _save_invalid(drafts, loaded.run, form, invalid)
        return await target.respond(loaded.run, PageContext(drafts={form["ask"]: draft}), status=400)
    except NotPossible as reason:
        return await target.refuse(loaded, reason)
    return await target.redirect_back()


async def _save_invalid(drafts: Drafts, run: Run, form: Form, invalid: InputInvalid) -> Draft:
    """Save an invalid answer as the draft, because it is the newest that was typed; a truncated one is not saved."""
    typed, kept_at = read_typed(form), None
    if not form.truncated:
        with suppress(NotPossible):
            kept_at = await drafts.save(run.id, form["ask"], typed, run)
    return Draft(typed, kept_at, describe_problems(typed, invalid))
