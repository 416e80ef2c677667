"""The run that a form acts on, and the responses to that form: the page on which it stood."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import WRITE_SECTION
from app.contract.run import Run
from app.contract.settings import Settings
from app.runs.errors import NotPossible
from app.runs.queries import LoadedRun, Queries, catch_up
from app.stores.repositories.listings import page_of_run, post_of_run
from app.stores.stores import Stores
from app.stores.tables import RunRow
from app.web.forms import Form
from app.web.fragments.context import Context
from app.web.fragments.partials import dom_id
from app.web.posts.pages import answer_post, find_own_post
from app.web.redirects import is_from_own_page
from app.web.runs.pages import answer_run
from app.web.sites.pages import answer_site, find_own_site


@dataclass(frozen=True, slots=True)
class FormTarget:
    """The run that a form acts on. Its row was read once, and it is the requester's."""

    request: Request[Any, Any, Any]
    requester: Requester
    row: RunRow
    stores: Stores
    settings: Settings

    async def load(self) -> LoadedRun:
        """Read the run's log, for a command. Read the form before: a command is checked against the newest state."""
        return LoadedRun(self.row, await self.stores.log.fold(self.row.id))

    async def redirect_back(self, path: str = "") -> Redirect:
        """Redirect to the page on which the form stood, at the step with this path."""
        if is_from_own_page(self.request, self.row.id):
            address, anchor = f"/runs/{self.row.id}", dom_id("step", path) if path else ""
        else:
            address = page_of_run(self.row, await post_of_run(self.stores.database, self.row))
            section = path.partition(f"/{WRITE_SECTION}:")[2]
            anchor = f"section-{section}" if section else ""
        return Redirect(f"{address}#{anchor}" if anchor else address, status_code=303)

    async def refuse(self, loaded: LoadedRun, reason: NotPossible) -> Response[str]:
        """Respond with the page on which the form stood, as it is now, and the reason why the command was not taken."""
        run = await catch_up(self.stores.log, loaded.run)
        return await self.respond(run, Context(refused=str(reason)), status=409)

    async def respond(self, run: Run, context: Context, status: int) -> Response[str]:
        """Respond with the page on which the form stood; for an answer typed as text, with the run's own page."""
        parts = self.stores.database, self.stores.fleet
        typed_text = any(isinstance(draft.typed, str) for draft in (context.drafts or {}).values())
        if not typed_text and not is_from_own_page(self.request, self.row.id):
            post_id = await post_of_run(self.stores.database, self.row)
            if post_id:
                post = await find_own_post(self.stores.database, post_id, self.requester)
                return await answer_post(self.request, post, run, context, *parts, status=status)
            if self.row.site_id and page_of_run(self.row, None).startswith("/sites/"):
                site = await find_own_site(self.stores.database, self.row.site_id, self.requester)
                return await answer_site(self.request, site, Form(), run, context, *parts, self.settings, status=status)
        return await answer_run(self.request, self.row, run, context, *parts, status=status)


async def provide_form_target(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    stores: NamedDependency[Stores],
    settings: NamedDependency[Settings],
) -> FormTarget:
    """Find the run that a form acts on. Raise `RunUnknown` if it is not the requester's."""
    return FormTarget(request, requester, await queries.find(run_id, requester.workspace_id), stores, settings)


FORM_TARGET = {"target": Provide(provide_form_target)}
"""The dependency `target`, for routes with a `run_id`."""
