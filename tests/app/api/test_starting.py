from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest

from app.content.values import PostBrief
from app.contract.manifest import WorkflowManifest
from app.stores.database import Database
from app.stores.fleet import Fleet
from app.stores.repositories.posts import list_posts
from app.stores.repositories.sites import find_site_of_run
from app.stores.tables import RunRow
from tests.app.conftest import Take, start_echo
from tests.support.worker_player import announce


async def test_a_run_is_accepted_queued_and_described(ann: httpx2.AsyncClient) -> None:
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "hi"})
    assert answer.status_code == 202
    run = answer.json()
    assert answer.headers["location"] == f"/api/runs/{run['id']}"
    assert list(run) == [
        "id", "workflow", "status", "title", "input", "output", "error", "waiting_for", "cursor", "tokens", "cost",
        "created_at", "started_at", "ended_at", "epoch",
    ]  # fmt: skip
    assert (run["status"], run["title"], run["workflow"]) == ("queued", "Echo hi", "echo")
    assert run["input"] == {"text": "hi"}
    assert run["output"] is run["error"] is run["waiting_for"] is None
    assert (await ann.get(answer.headers["location"])).json() == run


@pytest.mark.parametrize(
    ("value", "paths"),
    [
        ({}, ["text"]),
        ({"text": ""}, ["text"]),
        ({"text": "a", "times": 0}, ["times"]),
        ({"times": "x"}, ["text", "times"]),
        ([], [""]),
        (None, [""]),
        ("text", [""]),
        ({"text": "a", "more": 1}, [""]),
    ],
)
async def test_input_that_does_not_fit_is_listed(ann: httpx2.AsyncClient, value: Any, paths: list[str]) -> None:
    answer = await ann.post("/api/workflows/echo/runs", json=value)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert sorted(error["path"] for error in answer.json()["errors"]) == paths
    assert all(error["message"] for error in answer.json()["errors"])
    assert (await ann.get("/api/runs")).json()["runs"] == []


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"text": NaN}', b'{"text": "\\ud800"}', b"[" * 100_000, b'{"text": 1e999}']
)
async def test_a_body_that_is_no_json_is_400(ann: httpx2.AsyncClient, body: bytes) -> None:
    answer = await ann.post("/api/workflows/echo/runs", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    (error,) = answer.json()["errors"]
    assert error["path"] == "" and error["message"] == answer.json()["detail"]
    for expected in ("JSON object", "input_schema", "/api/workflows/echo", "application/json"):
        assert expected in error["message"]


async def test_a_body_is_read_whatever_curl_calls_it(ann: httpx2.AsyncClient) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await ann.post("/api/workflows/echo/runs", content=b'{"text": "hi"}', headers=headers)
    assert (answer.status_code, answer.json()["input"]) == (202, {"text": "hi"})
    form = await ann.post("/api/workflows/echo/runs", content=b"text=hi", headers=headers)
    assert (form.status_code, "JSON object" in form.json()["errors"][0]["message"]) == (400, True)


async def test_a_body_that_is_too_large_is_413(ann: httpx2.AsyncClient) -> None:
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "x" * 1_100_000})
    assert answer.status_code == 413
    assert answer.headers["content-type"].startswith("application/problem+json")


async def test_an_unknown_workflow_is_404(ann: httpx2.AsyncClient) -> None:
    answer = await ann.post("/api/workflows/nothing/runs", json={})
    assert (answer.status_code, answer.json()["status"]) == (404, 404)


async def test_workflows_are_listed_as_announced(ann: httpx2.AsyncClient) -> None:
    listed = (await ann.get("/api/workflows")).json()["workflows"]
    assert [workflow["name"] for workflow in listed] == ["echo"]
    assert (await ann.get("/api/workflows/echo")).json() == listed[0]
    assert listed[0]["input_schema"]["required"] == ["text"]
    assert (await ann.get("/api/workflows/nothing")).status_code == 404


async def test_the_same_key_gives_the_same_run_also_at_once(ann: httpx2.AsyncClient) -> None:
    async def start() -> httpx2.Response:
        return await ann.post("/api/workflows/echo/runs", json={"text": "once"}, headers={"Idempotency-Key": "k"})

    answers = await asyncio.gather(*(start() for _ in range(20)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert len((await ann.get("/api/runs")).json()["runs"]) == 1


async def test_a_key_belongs_to_its_request_and_workspace(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    key = {"Idempotency-Key": "k"}
    first = await ann.post("/api/workflows/echo/runs", json={"text": "one"}, headers=key)
    other = await ann.post("/api/workflows/echo/runs", json={"text": "two"}, headers=key)
    assert other.status_code == 409
    assert "Idempotency-Key" in other.json()["detail"]
    elsewhere = await bob.post("/api/workflows/echo/runs", json={"text": "two"}, headers=key)
    assert elsewhere.status_code == 202
    assert elsewhere.json()["id"] != first.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 201])
async def test_a_key_that_is_none_is_400(ann: httpx2.AsyncClient, key: str) -> None:
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers={"Idempotency-Key": key})
    assert answer.status_code == 400


async def test_onboarding_makes_the_site_before_any_worker_is_up(ann: httpx2.AsyncClient, database: Database) -> None:
    answer = await ann.post("/api/workflows/onboard-site/runs", json={"url": "example.com"})
    assert answer.status_code == 202, answer.text
    # That no scheme was typed is told to the worker, which finds out; until then the site has the likely one.
    assert answer.json()["input"] == {"url": "example.com/"}
    async with database.reading() as session:
        site = await find_site_of_run(session, answer.json()["id"])
        row = await session.get(RunRow, answer.json()["id"])
    assert site is not None and row is not None
    assert (site.url, row.site_id) == ("https://example.com/", site.id)


@pytest.mark.parametrize("url", ["", "http://127.0.0.1/", "ftp://example.com", "not a host", "http://x\x00.com"])
async def test_an_address_that_is_refused_names_the_field(ann: httpx2.AsyncClient, url: str) -> None:
    answer = await ann.post("/api/workflows/onboard-site/runs", json={"url": url})
    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == ["url"]


async def test_a_post_needs_a_site_of_the_same_workspace(
    ann: httpx2.AsyncClient, bob: httpx2.AsyncClient, database: Database, fleet: Fleet
) -> None:
    schema = PostBrief.model_json_schema()
    await announce(
        fleet,
        WorkflowManifest(name="write-post", version="1", title="{topic}", input_schema=schema, output_schema={}),
    )
    onboarded = await ann.post("/api/workflows/onboard-site/runs", json={"url": "example.com"})
    async with database.reading() as session:
        site = await find_site_of_run(session, onboarded.json()["id"])
    assert site is not None
    brief = {"site_id": site.id, "topic": "Tyres"}
    stranger = await bob.post("/api/workflows/write-post/runs", json=brief)
    assert stranger.status_code == 400
    assert [error["path"] for error in stranger.json()["errors"]] == ["site_id"]
    written = await ann.post("/api/workflows/write-post/runs", json=brief)
    assert written.status_code == 202
    assert (written.json()["title"], written.json()["input"]["length"]) == ("Tyres", "medium")
    async with database.reading() as session:
        posts = await list_posts(session, site.id)
    assert [(post.topic, run.id) for post, run in posts] == [("Tyres", written.json()["id"])]


async def test_waiting_gives_the_ended_run(ann: httpx2.AsyncClient, take: Take) -> None:
    async def play() -> None:
        run_id = ""
        while not run_id:
            runs = (await ann.get("/api/runs")).json()["runs"]
            run_id = runs[0]["id"] if runs else ""
        worker = await take(run_id)
        await worker.start()
        await worker.end("done")

    playing = asyncio.create_task(play())
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers={"Prefer": "wait=30"})
    await playing
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=30")
    assert (answer.json()["status"], answer.json()["output"]) == ("succeeded", "done")


async def test_waiting_is_given_up_when_time_is_up(ann: httpx2.AsyncClient) -> None:
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")
    assert answer.headers["location"] == f"/api/runs/{answer.json()['id']}"


async def test_a_wait_is_capped(ann: httpx2.AsyncClient, take: Take) -> None:
    first = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers={"Idempotency-Key": "k"})
    worker = await take(first.json()["id"])
    await worker.start()
    await worker.end_failed("no")
    headers = {"Idempotency-Key": "k", "Prefer": "respond-async, wait=99999"}
    again = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers=headers)
    assert (again.status_code, again.headers["preference-applied"]) == (200, "wait=600")
    assert again.json()["error"] == {"kind": "Boom", "message": "no", "step": ""}


async def test_lists_page_newest_first(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    ids = [await start_echo(ann, str(number)) for number in range(7)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "3", **({"after": cursor} if cursor else {})}
        page = (await ann.get("/api/runs", params=query)).json()
        seen += [run["id"] for run in page["runs"]]
        if (cursor := page["cursor"]) is None:
            break
    assert sorted(seen) == sorted(ids)
    assert len(seen) == 7
    assert (await ann.get("/api/runs", params={"after": "x"})).status_code == 400
    for limit in ("0", "201", "x"):
        answer = await ann.get("/api/runs", params={"limit": limit})
        assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, "limit")
