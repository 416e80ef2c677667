"""What people ask of a run: stop, retry, answer."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.runs.errors import InputInvalid, NotPossible, UnderWay
from app.web.asks.answers import (
    Typed,
    describe_problems,
    parse_answer,
    read_typed,
)
from app.web.commands.form_target import FORM_TARGET, FormTarget
from app.web.forms import Form, read_form
from app.web.fragments.context import Draft, PageContext


@post("/runs/{run_id:str}/cancellation", dependencies=FORM_TARGET)
async def cancel_run(own: NamedDependency[FormTarget]) -> Response[Any]:
    """Stop the run; back to its page."""
    try:
        await own.commands.cancel(*own.owned)
    except NotPossible as reason:
        return await own.refuse(reason)
    return await own.go_back()


@post("/runs/{run_id:str}/retries", dependencies=FORM_TARGET)
async def retry_step(own: NamedDependency[FormTarget]) -> Response[Any]:
    """Retry the step that the form names (all that failed, if it names none); back to the run's page.

    A second click asks for what is under way already: the page shows that.
    """
    form = await read_form(own.request)
    path = form["step"]
    try:
        with suppress(UnderWay):
            await own.commands.retry(*own.owned, [path] if path else [], form["guidance"].strip())
    except NotPossible as reason:
        return await own.refuse(reason)
    return await own.go_back(path)


@post("/runs/{run_id:str}/answers/{name:str}", dependencies=FORM_TARGET)
async def answer_ask(name: FromPath[str], own: NamedDependency[FormTarget]) -> Response[Any]:
    """Answer what the run asks. A value that does not fit comes back in its form, with the reason."""
    form = await read_form(own.request)
    typed = read_typed(form)
    try:
        await own.commands.answer(*own.owned, name, form["ask"], parse_answer(typed))
    except InputInvalid as invalid:
        draft = Draft(typed, await _keep(own, form, typed), describe_problems(typed, invalid))
        return await own.answer(PageContext(drafts={form["ask"]: draft}), status=400)
    except NotPossible as reason:
        return await own.refuse(reason)
    return await own.go_back()


async def _keep(own: FormTarget, form: Form, typed: Typed) -> datetime | None:
    """Keep what was refused as the draft: it is the newest that was typed. Not if it is not all that was typed."""
    with suppress(NotPossible):
        return None if form.truncated else await own.drafts.keep(own.row.id, form["ask"], typed)
    return None
