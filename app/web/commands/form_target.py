"""The run that a form is about: who asks owns it, and sees what came of it on the page that shows it best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from litestar.response import Redirect

from app.accounts.workspaces import Requester
from app.content.workflows import WRITE_SECTION
from app.contract.settings import Settings
from app.runs.commands import Commands
from app.runs.drafts import Drafts
from app.runs.errors import NotPossible
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.listings import find_post_of_run, run_page_address
from app.stores.tables import RunRow
from app.web.forms import Form
from app.web.fragments.context import PageContext
from app.web.fragments.partials import dom_id
from app.web.posts.pages import find_own_post, load_post_page
from app.web.redirects import is_from_own_page
from app.web.responses import RunPage, respond_with_run_page
from app.web.runs.pages import load_run_page
from app.web.sites.pages import find_own_site, load_site_page


@dataclass(frozen=True, slots=True)
class FormTarget:
    """What the handlers of such forms need, found once: a run that is not theirs is 404 before they begin."""

    request: Request[Any, Any, Any]
    row: RunRow
    who: Requester
    commands: Commands
    drafts: Drafts
    database: Database
    log: Log
    fleet: Fleet
    settings: Settings

    @property
    def owned(self) -> tuple[str, str]:
        """The run's id and its workspace's, as commands take them."""
        return self.row.id, self.row.workspace_id

    async def go_back(self, path: str = "") -> Redirect:
        """To the page that the form stood on, after what was asked was done, where it shows the step with this path."""
        if is_from_own_page(self.request, self.row.id):
            address, anchor = f"/runs/{self.row.id}", dom_id("step", path) if path else ""
        else:
            address = run_page_address(self.row, await find_post_of_run(self.database, self.row))
            section = path.partition(f"/{WRITE_SECTION}:")[2]
            anchor = f"section-{section}" if section else ""
        return Redirect(f"{address}#{anchor}" if anchor else address, status_code=303)

    async def refuse(self, reason: NotPossible) -> Response[str]:
        """The page that the form stood on as it is now, with the reason: who came too late is not led astray."""
        return await self.answer(PageContext(refused=str(reason)), status=409)

    async def answer(self, context: PageContext, status: int) -> Response[str]:
        """The page that shows the run best; the run's own page for a form of that one, and for an answer that was typed
        as text."""
        page, run = await self._load_page(context), await self.log.fold(self.row.id)
        return await respond_with_run_page(page, run, context, self.database, self.fleet, status=status)

    async def _load_page(self, context: PageContext) -> RunPage:
        has_typed_text = any(isinstance(draft.typed, str) for draft in (context.drafts or {}).values())
        if not has_typed_text and not is_from_own_page(self.request, self.row.id):
            if post_id := await find_post_of_run(self.database, self.row):
                return await load_post_page(await find_own_post(self.database, post_id, self.who), self.database)
            if self.row.site_id and run_page_address(self.row, None).startswith("/sites/"):
                site = await find_own_site(self.database, self.row.site_id, self.who)
                return await load_site_page(site, Form(), self.database, self.fleet, self.settings)
        return await load_run_page(self.row, self.database)


async def provide_form_target(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    who: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    drafts: NamedDependency[Drafts],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> FormTarget:
    row = await queries.find(run_id, who.workspace_id)
    return FormTarget(request, row, who, commands, drafts, database, log, fleet, settings)


FORM_TARGET = {"own": Provide(provide_form_target)}
"""The dependency `own`, for routes with a `run_id`."""
