"""The page of a run after something that was asked of it could not be done: as it is now, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.di import NamedDependency

from app.accounts.workspaces import Who
from app.contract.settings import Settings
from app.runs.view import Context
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.tables import RunRow
from app.web.forms import Form
from app.web.listings import page_of_run, post_of_run
from app.web.posts import answer_post, find_own_post
from app.web.runs import answer_run
from app.web.sites import answer_site, find_own_site


@dataclass(frozen=True, slots=True)
class Refusals:
    """Answers with the page that the form stood on, so that nobody who came too late is led astray."""

    who: Who
    database: Database
    log: Log
    fleet: Fleet
    settings: Settings

    async def answer(
        self, request: Request[Any, Any, Any], row: RunRow, context: Context, status: int = 409
    ) -> Response[str]:
        """The page that shows the run best; a text that was typed as an answer is on the run's own page."""
        run, parts = await self.log.fold(row.id), (self.database, self.fleet)
        post_id = await post_of_run(self.database, row)
        page = page_of_run(row, post_id)
        if post_id and not isinstance(context.draft, str):
            post = await find_own_post(self.database, post_id, self.who)
            return await answer_post(request, post, run, context, *parts, status=status)
        if row.site_id and page.startswith("/sites/"):
            site = await find_own_site(self.database, row.site_id, self.who)
            return await answer_site(request, site, Form(), run, context, *parts, self.settings, status=status)
        return await answer_run(request, row, run, context, *parts, status=status)


async def provide_refusals(
    who: NamedDependency[Who],
    database: NamedDependency[Database],
    log: NamedDependency[Log],
    fleet: NamedDependency[Fleet],
    settings: NamedDependency[Settings],
) -> Refusals:
    """The dependency `refusals`."""
    return Refusals(who, database, log, fleet, settings)
