"""The run that a form acts on, and the responses to that form: the page on which it stood."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import WRITE_SECTION
from app.contract.run import Run
from app.contract.settings import Settings
from app.runs.errors import NotPossible
from app.runs.queries import LoadedRun, Queries, catch_up
from app.stores.repositories.listings import find_post_of_run, run_page_address
from app.stores.stores import Stores
from app.stores.tables import RunRow
from app.web.forms import Form, PageRequest
from app.web.fragments.context import PageContext
from app.web.fragments.partials import dom_id
from app.web.posts.pages import find_own_post, load_post_page
from app.web.redirects import is_from_own_page
from app.web.responses import RunPage, respond_with_run_page
from app.web.runs.pages import load_run_page
from app.web.sites.pages import find_own_site, load_site_page


@dataclass(frozen=True, slots=True)
class FormTarget:
    """The run that a form acts on. Its row was read once, and it is the requester's."""

    request: PageRequest
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
            address = run_page_address(self.row, await find_post_of_run(self.stores.database, self.row))
            section = path.partition(f"/{WRITE_SECTION}:")[2]
            anchor = f"section-{section}" if section else ""
        return Redirect(f"{address}#{anchor}" if anchor else address, status_code=303)

    async def refuse(self, loaded: LoadedRun, reason: NotPossible) -> Response[str]:
        """Respond with the page on which the form stood, as it is now, and the reason why the command was not taken."""
        run = await catch_up(self.stores.log, loaded.run)
        return await self.respond(run, PageContext(refused=str(reason)), status=409)

    async def respond(self, run: Run, context: PageContext, status: int) -> Response[str]:
        """Respond with the page on which the form stood; for an answer typed as text, with the run's own page."""
        has_typed_text = any(isinstance(draft.typed, str) for draft in (context.drafts or {}).values())
        page = await self._load_page(own=has_typed_text or is_from_own_page(self.request, self.row.id))
        return await respond_with_run_page(page, run, context, self.stores.database, self.stores.fleet, status=status)

    async def _load_page(self, *, own: bool) -> RunPage:
        """Load the run's own page, or else that of the post or site which the run makes, if there is one."""
        database = self.stores.database
        if not own:
            if post_id := await find_post_of_run(database, self.row):
                return await load_post_page(await find_own_post(database, post_id, self.requester), database)
            if self.row.site_id and run_page_address(self.row, None).startswith("/sites/"):
                site = await find_own_site(database, self.row.site_id, self.requester)
                return await load_site_page(site, Form(), database, self.stores.fleet, self.settings)
        return await load_run_page(self.row, database)


async def provide_form_target(
    request: PageRequest,
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
