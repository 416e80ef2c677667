"""/api/schema is true and complete. What other tests see of the API is held against it too: see `make_client`."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute

from app.accounts.sessions import COOKIE
from app.contract.settings import Settings
from app.main import create_app
from tests.app.conftest import make_browser, start_echo
from tests.support.openapi_check import METHODS, check_value, read_schema
from tests.support.redis_server import RedisServer
from tests.support.serving import serving
from tests.support.worker_player import ECHO, announce

OPERATIONS = [
    (method, path, item[method])
    for path, item in read_schema()["paths"].items()
    for method in METHODS
    if method in item
]
NAMES = [f"{method} {path}" for method, path, _ in OPERATIONS]
PROBLEM = "application/problem+json"
each_operation = pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=NAMES)


def address_of(path: str, run_id: str = "none") -> str:
    return path.replace("{run_id}", run_id).replace("{name}", "echo")


def test_every_route_of_the_api_is_in_it(app: Litestar) -> None:
    routes = [route for route in app.routes if isinstance(route, HTTPRoute) and route.path_format.startswith("/api/")]
    there = {
        f"{method.lower()} {route.path_format}"
        for route in routes
        if not route.path_format.startswith("/api/schema")
        for method in route.methods
        if method != "OPTIONS"
    }
    assert there == set(NAMES)


async def test_it_is_what_the_server_gives(anonymous: httpx2.AsyncClient) -> None:
    assert (await anonymous.get("/api/schema")).json() == read_schema()


@each_operation
async def test_who_asks_is_said_in_one_of_two_ways(
    anonymous: httpx2.AsyncClient, method: str, path: str, operation: dict[str, Any]
) -> None:
    assert operation["security"] == [{"token": []}, {"session": []}]
    assert (await anonymous.request(method, address_of(path), json={})).status_code == 401
    schemes = read_schema()["components"]["securitySchemes"]
    assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", COOKIE)


@each_operation
async def test_it_tells_what_is_refused_and_nothing_else(
    ann: httpx2.AsyncClient, method: str, path: str, operation: dict[str, Any]
) -> None:
    said = set(operation["responses"])
    assert ("403" in said) == (method == "post")
    if method == "post":
        foreign = await ann.post(address_of(path), json={}, headers={"origin": "https://elsewhere.example"})
        assert foreign.status_code == 403
    assert ("404" in said) == ("{" in path)
    if "404" in said:
        unknown = address_of(path).replace("echo", "nothing")
        answer = await ann.request(method, unknown, json={"ask": "a"} if "answers" in path else {})
        assert answer.status_code == 404
    assert {"401", "503"} <= said <= {"200", "202", "400", "401", "403", "404", "406", "409", "413", "503"}
    for status, response in operation["responses"].items():
        assert (list(response["content"]) == [PROBLEM]) == (int(status) >= 400)


@pytest.mark.parametrize(
    ("path", "accept"), [("events", "text/event-stream"), ("events", "application/x-ndjson"), ("output", "text/plain")]
)
async def test_streams_have_the_forms_that_it_names(ann: httpx2.AsyncClient, path: str, accept: str) -> None:
    run_id = await start_echo(ann)
    said = read_schema()["paths"][f"/api/runs/{{run_id}}/{path}"]["get"]["responses"]["200"]["content"]
    assert said[accept]["schema"]["type"] == "string"
    async with ann.stream("GET", f"/api/runs/{run_id}/{path}", headers={"accept": accept}) as answer:
        assert answer.headers["content-type"].startswith(accept)
    assert "application/json" in said or path == "output"


def test_it_names_the_headers_that_matter() -> None:
    taken = {
        (name, parameter["name"])
        for name, (_, _, operation) in zip(NAMES, OPERATIONS, strict=True)
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    posts = {name for name in NAMES if name.startswith("post")}
    assert {(name, "Idempotency-Key") for name in posts} <= taken
    others = {("post /api/workflows/{name}/runs", "Prefer"), ("get /api/runs/{run_id}/events", "Last-Event-ID")}
    assert {one for one in taken if one[1] != "Idempotency-Key"} == others
    for method, _, operation in OPERATIONS:
        assert ("Location" in operation["responses"].get("202", {}).get("headers", {})) == (method == "post")


async def test_a_body_is_described_and_may_be_left_out_where_it_says_so() -> None:
    bodies = {name: operation.get("requestBody") for name, (_, _, operation) in zip(NAMES, OPERATIONS, strict=True)}
    needed = {name: body["required"] for name, body in bodies.items() if body}
    assert needed == {
        "post /api/workflows/{name}/runs": True,
        "post /api/runs/{run_id}/retries": False,
        "post /api/runs/{run_id}/answers/{name}": True,
    }


async def test_without_redis_the_problem_says_when_to_come_back(settings: Settings, own_redis: RedisServer) -> None:
    app = create_app(settings.model_copy(update={"redis_url": own_redis.url}))
    async with serving(app) as address, make_browser(address) as client:
        await announce(app.state.fleet, ECHO)
        run_id = await start_echo(client)
        own_redis.kill()
        for method, path in (
            ("get", "/api/workflows"),
            ("get", f"/api/runs/{run_id}"),
            ("post", f"/api/runs/{run_id}/retries"),
        ):
            answer = await client.request(method, path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "2"), path


def test_what_is_not_as_told_is_found() -> None:
    problem = {"type": "about:blank", "title": "t", "status": 400, "detail": "d", "instance": "/"}
    shape = {"$ref": "#/components/schemas/ProblemSchema"}
    check_value(problem, shape)
    for wrong in ({**problem, "status": "400"}, {**problem, "colour": "red"}, {"type": "about:blank"}):
        with pytest.raises(Exception, match=r"is not of type|unexpected|required"):
            check_value(wrong, shape)
