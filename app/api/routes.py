"""The routes of the API, and their common dependencies."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.accounts.authentication import provide_api_requester
from app.api.documentation import EITHER
from app.api.health import healthz, metrics, readyz
from app.api.runs import answer_run, cancel_run, get_run, get_trace, list_runs, retry_run
from app.api.streams import get_events, get_output
from app.api.workflows import get_workflow, list_workflows, start_run

API = Router(
    path="/api",
    dependencies={"requester": Provide(provide_api_requester)},
    security=EITHER,
    route_handlers=[
        list_workflows,
        get_workflow,
        start_run,
        list_runs,
        get_run,
        get_trace,
        get_events,
        get_output,
        cancel_run,
        retry_run,
        answer_run,
    ],
)
OPERATION = Router(path="/", route_handlers=[healthz, readyz, metrics], include_in_schema=False)
ROUTES: list[ControllerRouterHandler] = [API, OPERATION]
