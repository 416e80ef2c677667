from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.contract.keys import log_key
from app.stores.fleet import Fleet
from app.stores.log import Log
from tests.app.conftest import Take, make_browser, start_echo
from tests.support.serving import serving
from tests.support.worker_player import ECHO, WorkerPlayer, announce

SSE = {"accept": "text/event-stream"}
LINES = {"accept": "application/x-ndjson"}


async def play_to_the_end(worker: WorkerPlayer) -> None:
    await worker.start()
    for path in ("echo", "echo/a", "echo/b"):
        await worker.begin(path)
    await worker.write("echo/b", "second")
    await worker.write("echo/a", "lost")
    await worker.retry("echo/a", "again")
    await worker.begin("echo/a", attempt=2)
    await worker.write("echo/a", "fir", attempt=2)
    await worker.write("echo/a", "st", offset=3, attempt=2)
    await worker.succeed("echo/b")
    await worker.call("echo/a", attempt=2, input_tokens=10, output_tokens=5, cost=0.25)
    await worker.succeed("echo/a", attempt=2)
    await worker.succeed("echo")
    await worker.end("first second")


def read_sse(text: str) -> list[dict[str, Any]]:
    """Parse the events of a stream; check that each frame's id is its event's."""
    events = []
    for frame in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in frame.split("\n") if line and not line.startswith(":"))
        if lines:
            events.append(json.loads(lines["data"]))
            assert lines["id"] == events[-1]["id"]
    return events


@asynccontextmanager
async def streaming(
    client: httpx2.AsyncClient, path: str, headers: dict[str, str]
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Yield the events of an NDJSON stream as they come."""
    async with client.stream("GET", path, headers=headers) as answer:
        assert answer.status_code == 200

        async def events() -> AsyncIterator[dict[str, Any]]:
            async for line in answer.aiter_lines():
                yield json.loads(line)

        yield events()


async def test_all_three_forms_tell_the_same_log(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await play_to_the_end(worker)
    path = f"/api/runs/{run_id}/events"
    page = (await ann.get(path)).json()
    sse = await ann.get(path, headers=SSE)
    lines = await ann.get(path, headers=LINES)
    assert sse.headers["content-type"].startswith("text/event-stream")
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    assert page["events"] == read_sse(sse.text) == [json.loads(line) for line in lines.text.splitlines()]
    assert [event["id"] for event in page["events"]] == [event.id for event in await log.read(run_id)]
    assert set(page["events"][0]) == {"id", "type", "at", "step", "attempt", "epoch", "data"}
    assert (page["cursor"], page["more"]) == (page["events"][-1]["id"], False)


async def test_every_cursor_resumes_exactly(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    await play_to_the_end(await take(run_id))
    path = f"/api/runs/{run_id}/events"
    whole = (await ann.get(path)).json()["events"]
    for position, event in enumerate(whole, 1):
        rest = whole[position:]
        assert (await ann.get(path, params={"after": event["id"]})).json()["events"] == rest
        resumed = await ann.get(path, params={"after": "0-0"}, headers={**SSE, "Last-Event-ID": event["id"]})
        assert read_sse(resumed.text) == rest
        lines = await ann.get(path, params={"after": event["id"]}, headers=LINES)
        assert [json.loads(line) for line in lines.text.splitlines()] == rest


async def test_json_pages_by_limit(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    await play_to_the_end(await take(run_id))
    path = f"/api/runs/{run_id}/events"
    seen: list[dict[str, Any]] = []
    cursor, more = "0-0", True
    while more:
        page = (await ann.get(path, params={"after": cursor, "limit": "4"})).json()
        assert len(page["events"]) <= 4
        seen, cursor, more = seen + page["events"], page["cursor"], page["more"]
    assert seen == (await ann.get(path)).json()["events"]
    assert (await ann.get(path, params={"after": cursor})).json() == {"events": [], "cursor": cursor, "more": False}


async def test_streams_follow_until_the_end(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await start_echo(ann)
    async with streaming(ann, f"/api/runs/{run_id}/events", LINES) as events:
        seen = [await anext(events)]
        worker = await take(run_id)
        await worker.start()
        seen.append(await anext(events))
        await worker.begin("echo")
        seen.append(await anext(events))
        await worker.succeed("echo")
        await worker.end("x")
        seen += [event async for event in events]
    assert [event["id"] for event in seen] == [event.id for event in await log.read(run_id)]
    assert seen[-1]["type"] == "run.succeeded"


async def test_an_end_with_a_retry_after_it_ends_no_stream(ann: httpx2.AsyncClient, take: Take, log: Log) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.begin("echo")
    await worker.fail("echo", "no")
    await worker.end_failed("no")
    assert (await ann.post(f"/api/runs/{run_id}/retries")).status_code == 202
    async with streaming(ann, f"/api/runs/{run_id}/events", LINES) as events:
        seen = [await anext(events) for _ in range(6)]
        again = await take(run_id)
        await again.start()
        await again.end("x")
        seen += [event async for event in events]
    assert [event["id"] for event in seen] == [event.id for event in await log.read(run_id)]


@pytest.mark.parametrize("cursor", ["x", "1", "-1-0", "1-0-0", "9" * 30 + "-0", "1-0\n"])
async def test_a_cursor_that_cannot_be_read_is_400(ann: httpx2.AsyncClient, cursor: str) -> None:
    run_id = await start_echo(ann)
    for headers in (SSE, LINES, {}):
        answer = await ann.get(f"/api/runs/{run_id}/events", params={"after": cursor}, headers=headers)
        assert answer.status_code == 400
        assert answer.headers["content-type"].startswith("application/problem+json")


async def test_a_cursor_that_is_gone_is_409_with_where_to_start(ann: httpx2.AsyncClient) -> None:
    run_id = await start_echo(ann)
    path = f"/api/runs/{run_id}/events"
    for headers in (SSE, LINES, {}):
        answer = await ann.get(path, params={"after": "9999999999999-7"}, headers=headers)
        assert answer.status_code == 409
        again = await ann.get(path, params={"after": answer.json()["cursor"]})
        assert len(again.json()["events"]) == 1


async def test_a_lost_stream_reads_on_from_the_archive(ann: httpx2.AsyncClient, redis: Redis) -> None:
    run_id = await start_echo(ann)
    before = (await ann.get(f"/api/runs/{run_id}/events")).json()
    await redis.delete(log_key(run_id))
    assert (await ann.get(f"/api/runs/{run_id}/events")).json() == before


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/json"),
        ("text/event-stream;q=0.5, application/json;q=0.4", "text/event-stream"),
        ("application/json;q=0.4, application/x-ndjson", "application/x-ndjson"),
        ("text/*", "text/event-stream"),
        ("*/*;q=0.1, application/json;q=0", "text/event-stream"),
        ("text/html", None),
        ("application/json;q=0", None),
    ],
)
async def test_the_form_is_negotiated(ann: httpx2.AsyncClient, take: Take, accept: str, media_type: str | None) -> None:
    run_id = await start_echo(ann)
    await (await take(run_id)).end()
    answer = await ann.get(f"/api/runs/{run_id}/events", headers={"accept": accept})
    if media_type is None:
        assert answer.status_code == 406
    else:
        assert answer.headers["content-type"].startswith(media_type)


async def test_output_is_what_stands_in_document_order(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    async with ann.stream("GET", f"/api/runs/{run_id}/output") as answer:
        assert answer.headers["content-type"].startswith("text/plain")
        worker = await take(run_id)
        await play_to_the_end(worker)
        live = (await answer.aread()).decode()
    assert live == "first\n\nsecond"
    assert (await ann.get(f"/api/runs/{run_id}/output")).text == live


async def test_text_of_failed_steps_is_in_no_output(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    for path in ("echo", "echo/a", "echo/b", "echo/c"):
        await worker.begin(path)
        await worker.write(path, path)
    await worker.fail("echo/a", "no")
    await worker.succeed("echo/b")
    await worker.end_cancelled()
    assert (await ann.get(f"/api/runs/{run_id}/output")).text == "echo/b"


async def test_the_trace_is_a_tree(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    await play_to_the_end(await take(run_id))
    trace = (await ann.get(f"/api/runs/{run_id}/trace")).json()
    assert (trace["tokens"], trace["cost"], trace["status"]) == (15, 0.25, "succeeded")
    (root,) = trace["steps"]
    first, second = root["steps"]
    assert (root["path"], first["path"], second["path"]) == ("echo", "echo/a", "echo/b")
    assert [attempt["status"] for attempt in first["attempts"]] == ["failed", "succeeded"]
    assert first["attempts"][0]["error"]["message"] == "again"
    assert first["attempts"][1]["tokens"] == first["tokens"] == 15


async def test_a_viewer_who_leaves_is_forgotten(ann: httpx2.AsyncClient, app: Litestar) -> None:
    run_id = await start_echo(ann)
    async with streaming(ann, f"/api/runs/{run_id}/events", LINES) as events:
        await anext(events)
        assert "longhand_watchers 1.0" in (await ann.get("/metrics")).text
    async with asyncio.timeout(20):
        while "longhand_watchers 0.0" not in (await ann.get("/metrics")).text:
            pass


async def test_streams_end_when_the_process_does(app: Litestar, fleet: Fleet) -> None:
    await announce(fleet, ECHO)
    started = asyncio.Event()

    async def watch(address: str) -> list[str]:
        async with make_browser(address) as client:
            run_id = await start_echo(client)
            async with client.stream("GET", f"/api/runs/{run_id}/events", headers=LINES) as answer:
                lines = []
                async for line in answer.aiter_lines():
                    lines.append(line)
                    started.set()
                return lines

    async with serving(app) as address:
        watching = asyncio.create_task(watch(address))
        await started.wait()
    assert len(await watching) == 1
