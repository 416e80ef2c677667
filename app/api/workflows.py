"""`/api/workflows`: the workflows, and starting runs of them."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from redis.exceptions import RedisError

from app.accounts.workspaces import Requester, Workspaces
from app.api.bodies import read_input
from app.api.documentation import ApiOperation, StartOperation, succeeds
from app.api.negotiation import read_wait
from app.api.problems import problems
from app.contract.manifest import WorkflowManifest
from app.runs.errors import WorkflowUnknown
from app.runs.following import Follower, wait_for_end
from app.runs.queries import Queries
from app.runs.schemas import RunSchema, describe_row, describe_run
from app.runs.submission import Submission
from app.stores.fleet import Fleet


@get("/workflows", operation_class=ApiOperation, responses=problems())
async def list_workflows(
    requester: NamedDependency[Requester], fleet: NamedDependency[Fleet]
) -> dict[str, list[WorkflowManifest]]:
    """List all workflows that workers have announced, with the JSON schemas of their input and output."""
    return {"workflows": list((await fleet.workflows()).values())}


@get("/workflows/{name:str}", operation_class=ApiOperation, responses=problems(404))
async def get_workflow(
    name: FromPath[str], requester: NamedDependency[Requester], fleet: NamedDependency[Fleet]
) -> WorkflowManifest:
    """Get one workflow."""
    manifest = (await fleet.workflows()).get(name)
    if manifest is None:
        raise WorkflowUnknown(name)
    return manifest


@post(
    "/workflows/{name:str}/runs",
    status_code=202,
    operation_class=StartOperation,
    responses={**succeeds(RunSchema, "The run, which has ended in time"), **problems(400, 403, 404, 409, 413)},
)
async def start_run(
    request: Request[Any, Any, Any],
    name: FromPath[str],
    requester: NamedDependency[Requester],
    workspaces: NamedDependency[Workspaces],
    submission: NamedDependency[Submission],
    queries: NamedDependency[Queries],
    follower: NamedDependency[Follower],
) -> Response[RunSchema]:
    """Start a run: 202 with the run. With `Prefer: wait=SECONDS` 200, when it ends in time; 600 seconds are the most.

    A repeat with the same `Idempotency-Key` returns the first run.
    """
    value = await read_input(request, name)
    workspace_id = await workspaces.ensure(requester)
    key = request.headers.get("idempotency-key")
    accepted = await submission.submit(name, value, workspace_id, key)
    seconds = read_wait(request.headers.getall("prefer", []))
    ended = bool(seconds) and await wait_for_end(follower, accepted.run_id, seconds or 0)
    headers = {"Location": f"/api/runs/{accepted.run_id}"}
    if seconds is not None:
        headers["Preference-Applied"] = f"wait={seconds}"
    run = await _read_run(queries, accepted.run_id, workspace_id)
    return Response(run, status_code=200 if ended else 202, headers=headers)


async def _read_run(queries: Queries, run_id: str, workspace_id: str) -> RunSchema:
    try:
        return describe_run(*await queries.load(run_id, workspace_id))
    except RedisError:
        # The run was accepted without Redis, so it is described without Redis.
        return describe_row(await queries.find(run_id, workspace_id))
