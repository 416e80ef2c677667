"""`/api/runs`: reading runs, and commands on them."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, Parameter
from pydantic import BaseModel, ConfigDict

from app.accounts.workspaces import Requester
from app.api.documentation import ApiOperation, CommandOperation, RetryOperation
from app.api.problems import problems
from app.runs.commands import Commands
from app.runs.queries import LoadedRun, Queries
from app.runs.schemas import RunSchema, describe_row, describe_run
from app.runs.trace import TraceSchema, trace_run


class RunListSchema(BaseModel):
    """A page of runs, newest first. `cursor` continues the list; null at its end."""

    model_config = ConfigDict(frozen=True)

    runs: list[RunSchema]
    cursor: str | None


class RetryBody(BaseModel):
    """`step` is a step's path; without it, all failed steps run again, and a cancelled run goes on from where it was.
    `guidance` is a wish for the new attempt."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str | None = None
    guidance: str = ""


class AnswerBody(BaseModel):
    """`ask` echoes the id of what is answered, from the run's `waiting_for`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ask: str
    value: Any = None


@get("/runs", operation_class=ApiOperation, responses=problems(400))
async def list_runs(
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    after: Annotated[str | None, Parameter(description="the `cursor` of the page before")] = None,
    limit: Annotated[int, Parameter(ge=1, le=200)] = 50,
) -> RunListSchema:
    """List the workspace's runs, newest first. Output, error and what a run waits for are only in the run itself."""
    found = await queries.list_runs(requester.workspace_id, limit, after)
    return RunListSchema(runs=list(map(describe_row, found.rows)), cursor=found.cursor)


@get("/runs/{run_id:str}", operation_class=ApiOperation, responses=problems(404))
async def get_run(
    run_id: FromPath[str], requester: NamedDependency[Requester], queries: NamedDependency[Queries]
) -> RunSchema:
    """Get one run, as of the end of its log."""
    return describe_run(*await queries.load(run_id, requester.workspace_id))


@get("/runs/{run_id:str}/trace", operation_class=ApiOperation, responses=problems(404))
async def get_trace(
    run_id: FromPath[str], requester: NamedDependency[Requester], queries: NamedDependency[Queries]
) -> TraceSchema:
    """Get the tree of steps with attempts, times, tokens and cost."""
    return trace_run((await queries.load(run_id, requester.workspace_id)).run)


@post(
    "/runs/{run_id:str}/cancellation",
    status_code=202,
    operation_class=CommandOperation,
    responses=problems(400, 403, 404, 409),
)
async def cancel_run(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
) -> Response[RunSchema]:
    """Stop the run. Its text so far is kept."""
    loaded = await queries.load(run_id, requester.workspace_id)
    return _respond(await commands.cancel(loaded, _client_key(request)))


@post(
    "/runs/{run_id:str}/retries",
    status_code=202,
    operation_class=RetryOperation,
    responses=problems(400, 403, 404, 409, 413),
)
async def retry_run(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    requester: NamedDependency[Requester],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
    data: JSONBody[RetryBody | None] = None,
) -> Response[RunSchema]:
    """Run a step again, or all that failed, and then what depends on it."""
    body = data or RetryBody()
    steps = [] if body.step is None else [body.step]
    loaded = await queries.load(run_id, requester.workspace_id)
    return _respond(await commands.retry(loaded, steps, body.guidance, _client_key(request)))


@post(
    "/runs/{run_id:str}/answers/{name:str}",
    status_code=202,
    operation_class=CommandOperation,
    responses=problems(400, 403, 404, 409, 413),
)
async def answer_run(
    request: Request[Any, Any, Any],
    run_id: FromPath[str],
    name: FromPath[str],
    requester: NamedDependency[Requester],
    data: JSONBody[AnswerBody],
    queries: NamedDependency[Queries],
    commands: NamedDependency[Commands],
) -> Response[RunSchema]:
    """Answer what the run asks. The first answer counts."""
    loaded = await queries.load(run_id, requester.workspace_id)
    return _respond(await commands.answer(loaded, name, data.ask, data.value, _client_key(request)))


def _client_key(request: Request[Any, Any, Any]) -> str | None:
    return request.headers.get("idempotency-key")


def _respond(loaded: LoadedRun) -> Response[RunSchema]:
    """Respond with the run that has taken a command."""
    return Response(describe_run(*loaded), status_code=202, headers={"Location": f"/api/runs/{loaded.run.id}"})
