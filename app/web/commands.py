"""What people ask of a run: stop, retry, answer."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import Any

from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.runs.errors import InputInvalid, NotPossible, UnderWay
from app.runs.view import Context
from app.runs.views.context import Draft
from app.web.answers import Typed, read_typed, say_wrong, value_of
from app.web.forms import Form, read_form
from app.web.own_run import OWN_RUN, OwnRun


@post("/runs/{run_id:str}/cancellation", dependencies=OWN_RUN)
async def cancel_run(own: NamedDependency[OwnRun]) -> Response[Any]:
    """Stop the run; back to its page."""
    try:
        await own.commands.cancel(*own.owned)
    except NotPossible as reason:
        return await own.refuse(reason)
    return await own.go_back()


@post("/runs/{run_id:str}/retries", dependencies=OWN_RUN)
async def retry_step(own: NamedDependency[OwnRun]) -> Response[Any]:
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


@post("/runs/{run_id:str}/answers/{name:str}", dependencies=OWN_RUN)
async def answer_ask(name: FromPath[str], own: NamedDependency[OwnRun]) -> Response[Any]:
    """Answer what the run asks. A value that does not fit comes back in its form, with the reason."""
    form = await read_form(own.request)
    typed = read_typed(form)
    try:
        await own.commands.answer(*own.owned, name, form["ask"], value_of(typed))
    except InputInvalid as invalid:
        draft = Draft(typed, await _keep(own, form, typed), say_wrong(typed, invalid))
        return await own.answer(Context(drafts={form["ask"]: draft}), status=400)
    except NotPossible as reason:
        return await own.refuse(reason)
    return await own.go_back()


async def _keep(own: OwnRun, form: Form, typed: Typed) -> datetime | None:
    """Keep what was refused as the draft: it is the newest that was typed. Not if it is not all that was typed."""
    with suppress(NotPossible):
        return None if form.cut else await own.drafts.keep(own.row.id, form["ask"], typed)
    return None
