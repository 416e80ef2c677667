"""A program writes a post through the REST API, with a token that a person made."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.end_to_end.visiting import Visitors, Workplace

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]


@pytest_asyncio.fixture(loop_scope="session")
async def client(extractive_workplace: Workplace, visitors: Visitors) -> AsyncIterator[httpx2.AsyncClient]:
    """A program with a new token of the workspace."""
    page = await (await visitors.come(extractive_workplace.state)).new_page()
    await page.goto(f"{extractive_workplace.product.url}/tokens")
    await page.get_by_label("Name").fill("a program")
    await page.get_by_role("button", name="Create token").click()
    token = await page.locator("#secret").inner_text()
    await page.goto(f"{extractive_workplace.product.url}/tokens")
    await expect(page.get_by_text(token)).to_have_count(0)
    async with httpx2.AsyncClient(
        base_url=f"{extractive_workplace.product.url}/api",
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
        trust_env=False,
    ) as opened:
        yield opened


async def test_a_post_in_one_request(extractive_workplace: Workplace, client: httpx2.AsyncClient) -> None:
    run = await _write(client, extractive_workplace, "One request")
    assert run["status"] == "succeeded"
    assert run["workflow"] == "write-post"
    sections = run["output"]["sections"]
    assert len(sections) == 3
    assert all(section["sources"] for section in sections)
    output = await client.get(f"/runs/{run['id']}/output")
    numbers = {one: str(source["number"]) for source in run["output"]["sources"] for one in source["passages"]}
    markdown = "\n\n".join(section["markdown"] for section in sections)
    assert output.text == re.sub(r"\[(s\d+)\]", lambda cited: f"[{numbers[cited[1]]}]", markdown)
    assert output.text != markdown
    trace = (await client.get(f"/runs/{run['id']}/trace")).json()
    assert "write-post/write-section:" in json.dumps(trace)
    listed = (await client.get("/runs", params={"limit": 1})).json()["runs"]
    assert [one["id"] for one in listed] == [run["id"]]


async def test_the_log_is_the_same_in_all_its_forms(
    extractive_workplace: Workplace, client: httpx2.AsyncClient
) -> None:
    run = await _write(client, extractive_workplace, "Three forms of one log")
    events = f"/runs/{run['id']}/events"
    whole = (await client.get(events, headers={"Accept": "application/json"})).json()
    assert whole["cursor"] == run["cursor"]
    assert whole["events"][0]["type"] == "run.submitted"
    assert whole["events"][-1]["id"] == whole["cursor"]

    lines = await client.get(events, headers={"Accept": "application/x-ndjson"})
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.text.splitlines()] == whole["events"]

    stream = await client.get(events, headers={"Accept": "text/event-stream"})
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert _read_sse(stream.text) == whole["events"]

    # Whoever has read a part gets the rest, however they say where they stand.
    half = len(whole["events"]) // 2
    cursor = whole["events"][half - 1]["id"]
    rest = await client.get(events, params={"after": cursor}, headers={"Accept": "application/json"})
    assert rest.json()["events"] == whole["events"][half:]
    resumed = await client.get(events, headers={"Accept": "text/event-stream", "Last-Event-ID": cursor})
    assert _read_sse(resumed.text) == whole["events"][half:]


async def test_a_repeat_with_the_same_key_is_the_same_run(
    extractive_workplace: Workplace, client: httpx2.AsyncClient
) -> None:
    brief = {"site_id": extractive_workplace.site_url.rsplit("/", 1)[1], "topic": "Asked for twice"}
    headers = {"Idempotency-Key": "twice"}
    answers = [await client.post("/workflows/write-post/runs", json=brief, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    first, second = (answer.json()["id"] for answer in answers)
    assert first == second
    assert (await client.get(f"/runs/{first}/output")).status_code == 200


async def test_what_does_not_fit_is_named(extractive_workplace: Workplace, client: httpx2.AsyncClient) -> None:
    schema = (await client.get("/workflows/write-post")).json()["input_schema"]
    assert {"site_id", "topic"} <= set(schema["required"])
    refused = await client.post("/workflows/write-post/runs", json={"topic": "x", "colour": "red"})
    assert refused.status_code == 400
    assert refused.headers["content-type"].startswith("application/problem+json")
    said = refused.text
    assert all(name in said for name in ("site_id", "topic", "colour"))
    for method, path, status in (
        ("GET", "/runs/run_0", 404),
        ("GET", "/workflows/no-such-workflow", 404),
        ("POST", "/workflows/no-such-workflow/runs", 404),
    ):
        answer = await client.request(method, path, json={} if method == "POST" else None)
        assert answer.status_code == status
        assert answer.headers["content-type"].startswith("application/problem+json")
    stranger = await client.get("/runs", headers={"Authorization": "Bearer made-up"})
    assert stranger.status_code == 401


async def _write(client: httpx2.AsyncClient, workplace: Workplace, topic: str) -> dict[str, Any]:
    brief = {"site_id": workplace.site_url.rsplit("/", 1)[1], "topic": f"Winter bikes: {topic}", "length": "short"}
    answer = await client.post("/workflows/write-post/runs", json=brief, headers={"Prefer": "wait=60"})
    assert answer.status_code == 200, answer.text
    run: dict[str, Any] = answer.json()
    return run


def _read_sse(text: str) -> list[Any]:
    frames = [frame.splitlines() for frame in text.split("\n\n")]
    events = []
    for frame in frames:
        fields = dict(line.split(": ", 1) for line in frame if not line.startswith(":"))
        if "data" in fields:
            event = json.loads(fields["data"])
            assert event["id"] == fields["id"]
            events.append(event)
    return events
