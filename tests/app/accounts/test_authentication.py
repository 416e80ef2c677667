from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from litestar import Litestar, MediaType, get, post
from litestar.di import NamedDependency
from redis.asyncio import Redis
from sqlalchemy import func, select

from app.accounts.sessions import COOKIE, digest_of
from app.accounts.tokens import Tokens
from app.accounts.workspaces import Requester
from app.contract.settings import Settings
from app.main import create_app
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.tables import RunRow, SessionRow, Workspace
from tests.app.conftest import Take, make_client, start_echo
from tests.support.serving import serving
from tests.support.worker_player import ECHO, announce


@get("/test-page", media_type=MediaType.HTML)
async def page(requester: NamedDependency[Requester]) -> str:
    return f"<p>{requester.workspace_id}</p>"


@post("/test-form", media_type=MediaType.HTML, status_code=200)
async def form(requester: NamedDependency[Requester]) -> str:
    return f"<p>{requester.workspace_id}</p>"


@pytest.fixture
def app(settings: Settings, redis: Redis) -> Litestar:
    """Return the application with two more pages, which show their requester."""
    created = create_app(settings)
    created.register(page)
    created.register(form)
    return created


async def count(database: Database, table: Any) -> int:
    async with database.reading() as session:
        return int(await session.scalar(select(func.count()).select_from(table)) or 0)


async def test_the_first_page_sets_the_cookie_and_writes_nothing(
    anonymous: httpx2.AsyncClient, database: Database
) -> None:
    answer = await anonymous.get("/test-page")
    cookie = answer.headers["set-cookie"]
    for part in ("HttpOnly", "SameSite=lax", "Path=/", "Max-Age="):
        assert part.lower() in cookie.lower()
    assert "secure" not in cookie.lower()
    assert len(anonymous.cookies[COOKIE]) == 43
    assert "set-cookie" not in (await anonymous.get("/test-page")).headers
    assert answer.text == "<p>None</p>"
    assert await count(database, Workspace) == await count(database, SessionRow) == 0


async def test_the_cookie_is_secure_behind_https(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/test-page", headers={"X-Forwarded-Proto": "https"})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_the_first_post_founds_the_workspace_once(anonymous: httpx2.AsyncClient, database: Database) -> None:
    await anonymous.get("/test-page")
    first = (await anonymous.post("/test-form")).text
    assert first == (await anonymous.post("/test-form")).text == (await anonymous.get("/test-page")).text
    assert await count(database, Workspace) == await count(database, SessionRow) == 1
    async with database.reading() as session:
        row = await session.scalar(select(SessionRow))
    assert row is not None
    assert row.id == digest_of(anonymous.cookies[COOKIE])
    assert anonymous.cookies[COOKIE] not in str(row)


async def test_a_form_without_a_cookie_gets_one(anonymous: httpx2.AsyncClient) -> None:
    first = await anonymous.post("/test-form")
    assert "set-cookie" in first.headers
    assert (await anonymous.get("/test-page")).text == first.text


async def test_a_value_that_we_never_gave_is_replaced(address: str) -> None:
    async with make_client(address, cookie=f"{COOKIE}=admin") as client:
        assert "set-cookie" in (await client.get("/test-page")).headers
        assert (await client.get("/api/runs")).status_code == 401


async def test_the_api_sets_no_cookie_and_wants_one(anonymous: httpx2.AsyncClient, database: Database) -> None:
    for answer in (
        await anonymous.get("/api/runs"),
        await anonymous.get("/api/workflows"),
        await anonymous.post("/api/workflows/echo/runs", json={"text": "a"}),
        await anonymous.get("/api/runs", headers={"Authorization": "Bearer lh_nothing"}),
        await anonymous.get("/api/runs", headers={"Authorization": "Basic YTpi"}),
    ):
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "set-cookie" not in answer.headers
    assert await count(database, Workspace) == 0


async def test_an_api_get_writes_nothing(ann: httpx2.AsyncClient, database: Database) -> None:
    assert (await ann.get("/api/runs")).json() == {"runs": [], "cursor": None}
    assert (await ann.get("/api/runs/run_nothing")).status_code == 404
    assert await count(database, Workspace) == 0
    await start_echo(ann)
    assert await count(database, Workspace) == 1


async def test_a_token_opens_its_workspace_until_it_is_revoked(
    address: str, ann: httpx2.AsyncClient, database: Database
) -> None:
    run_id = await start_echo(ann)
    async with database.reading() as session:
        row = await session.get(RunRow, run_id)
    assert row is not None
    tokens = Tokens(database)
    token, text = await tokens.create(row.workspace_id, "laptop")
    assert text.startswith("lh_")
    assert [listed.name for listed in await tokens.list(row.workspace_id)] == ["laptop"]
    async with make_client(address, authorization=f"Bearer {text}") as client:
        assert (await client.get(f"/api/runs/{run_id}")).json()["id"] == run_id
        assert not await tokens.revoke(token.id, "another")
        assert (await client.get("/api/runs")).status_code == 200
        assert await tokens.revoke(token.id, row.workspace_id)
        assert (await client.get("/api/runs")).status_code == 401
    assert await tokens.list(row.workspace_id) == []


async def test_what_is_anothers_is_404_everywhere(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    for path in ("", "/events", "/output", "/trace"):
        for accept in ("application/json", "text/event-stream"):
            answer = await bob.get(f"/api/runs/{run_id}{path}", headers={"accept": accept})
            assert (answer.status_code, answer.json()["status"]) == (404, 404), path
    for path, body in (("cancellation", None), ("retries", {"step": "echo"}), ("answers/x", {"ask": "a", "value": 1})):
        answer = await bob.post(f"/api/runs/{run_id}/{path}", json=body)
        assert (answer.status_code, answer.json()["status"]) == (404, 404), path
    assert run_id not in (await bob.get("/api/runs")).text
    missing = (await bob.get("/api/runs/run_00000000000000000000")).json()
    hidden = (await bob.get(f"/api/runs/{run_id}")).json()
    assert {**missing, "instance": ""} == {**hidden, "instance": ""}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_sites_page_changes_nothing(
    ann: httpx2.AsyncClient, database: Database, headers: dict[str, str]
) -> None:
    api = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers=headers)
    assert (api.status_code, api.json()["status"]) == (403, 403)
    assert (await ann.post("/test-form", headers=headers)).status_code == 403
    assert (await ann.get("/api/runs", headers=headers)).json()["runs"] == []
    assert await count(database, Workspace) == 0


async def test_our_own_pages_may_post(ann: httpx2.AsyncClient, address: str) -> None:
    headers = {"Origin": address, "Sec-Fetch-Site": "same-origin"}
    assert (await ann.post("/test-form", headers=headers)).status_code == 200


@pytest.fixture
async def secure_address(app: Litestar, fleet: Fleet) -> AsyncIterator[str]:
    await announce(fleet, ECHO)
    async with serving(app) as address:
        yield address


async def test_default_ports_are_no_other_origin(secure_address: str) -> None:
    async with make_client(secure_address, host="longhand.example", origin="https://longhand.example:443") as client:
        assert (await client.post("/test-form")).status_code == 200
