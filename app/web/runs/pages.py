"""The page of any workflow's run."""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.accounts.workspaces import Requester
from app.runs.queries import Queries
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.log import Log
from app.stores.repositories.listings import find_post_of_run, run_page_address
from app.stores.tables import RunRow
from app.web.forms import PageRequest
from app.web.fragments.json_text import format_json
from app.web.responses import RunPage, show_run_page
from app.web.runs.view import build_run_fragments


@get("/runs/{run_id:str}")
async def show_run(
    request: PageRequest,
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    log: NamedDependency[Log],
    database: NamedDependency[Database],
    fleet: NamedDependency[Fleet],
) -> Response[Any]:
    row = await queries.find(run_id, requester.workspace_id)
    return await show_run_page(request, await load_run_page(row, database), row, queries, log, database, fleet)


async def load_run_page(row: RunRow, database: Database) -> RunPage:
    """Load what the run's own page shows beside its log: the address of the post or site that the run makes."""
    address = run_page_address(row, await find_post_of_run(database, row))
    return RunPage(
        kind="run",
        template="runs/show",
        values={"page": "" if address.startswith("/runs/") else address, "format_json": format_json},
        etag_values=(row.id, address),
        build=build_run_fragments,
    )
