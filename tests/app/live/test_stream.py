"""The stream of patches as a web server sends it to any client."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx2
import pytest

from app.launcher.web import raise_file_limit
from tests.app.live.processes import WebProcess
from tests.app.live.writing import Stores, Writer

STEP = "write-post/section:a"


@pytest.fixture
async def client(web: WebProcess) -> AsyncIterator[httpx2.AsyncClient]:
    limits = httpx2.Limits(max_connections=None)
    async with httpx2.AsyncClient(base_url=web.url, timeout=30, limits=limits) as opened:
        yield opened


@asynccontextmanager
async def streaming(
    client: httpx2.AsyncClient, writer: Writer, after: str = "0-0", headers: dict[str, str] | None = None
) -> AsyncIterator[tuple[httpx2.Response, AsyncIterator[str]]]:
    """Open a stream; yield its response, and its messages as text."""
    async with client.stream("GET", f"/runs/{writer.run_id}/live?view=run&after={after}", headers=headers) as response:
        yield response, _messages(response)


async def _messages(response: httpx2.Response) -> AsyncIterator[str]:
    buffer = ""
    async for text in response.aiter_text():
        buffer += text
        while "\n\n" in buffer:
            message, _, buffer = buffer.partition("\n\n")
            yield message


async def viewers(client: httpx2.AsyncClient) -> int:
    return int((await client.get("/viewers")).text)


async def test_it_is_a_stream_that_nothing_on_the_way_keeps(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    async with streaming(client, writer) as (response, messages):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache, no-store"
        assert response.headers["x-accel-buffering"] == "no"
        assert (await anext(messages)).startswith("event: open\nretry: ")
        assert (await anext(messages)).startswith(f"id: {(await writer.fold()).cursor}\ndata: ")


async def test_an_ended_run_is_one_message_and_the_end(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    begun = await writer.begin(STEP)
    await writer.write(STEP, "All of it.")
    await writer.succeed(STEP)
    await writer.end()
    async with streaming(client, writer, begun) as (_, messages):
        first, patch, end = [message async for message in messages]
    assert first.startswith("event: open")
    assert "All of it." in patch
    assert end == "event: end\ndata:"


async def test_the_last_event_id_wins_over_the_address(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    await writer.write(STEP, "All of it.")
    await writer.end()
    newest = (await writer.fold()).cursor
    async with streaming(client, writer, "0-0", {"Last-Event-ID": newest}) as (_, messages):
        assert [message.partition("\n")[0] async for message in messages] == ["event: open", "event: end"]


async def test_what_is_no_cursor_is_refused(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    for cursor in ("x", "1", "1-", "-1-0", "99999999999999999999-0", "1-0%00", "%D9%A1-0"):
        answer = await client.get(f"/runs/{writer.run_id}/live?after={cursor}")
        assert answer.status_code == 400, cursor


async def test_a_cursor_that_is_no_entry_any_more_is_answered_with_a_reset(
    client: httpx2.AsyncClient, stores: Stores
) -> None:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    async with streaming(client, writer, "1700000000000-7") as (_, messages):
        await anext(messages)
        assert (await anext(messages)).startswith(f"event: reset\nid: {(await writer.fold()).cursor}\n")


async def test_another_kind_of_page_or_run_is_not_there(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    assert (await client.get(f"/runs/{writer.run_id}/live?view=cake")).status_code == 400
    assert (await client.get("/runs/run_0/live")).status_code == 404
    assert (await client.get("/runs/run_0/status")).status_code == 404


async def test_the_status_is_the_logs(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    address = f"/runs/{writer.run_id}/status"
    assert (await client.get(address)).json() == {"status": "running", "cursor": (await writer.fold()).cursor}
    await writer.end()
    answer = await client.get(address)
    assert answer.json() == {"status": "succeeded", "cursor": (await writer.fold()).cursor}
    assert answer.headers["cache-control"] == "no-store"


async def test_a_client_that_goes_away_is_forgotten(client: httpx2.AsyncClient, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(streaming(client, writer)) for _ in range(20)]
        for _, messages in streams:
            await anext(messages)
        assert await viewers(client) == 20
    while await viewers(client):
        await asyncio.sleep(0.01)


async def test_sigterm_ends_a_thousand_streams_and_then_the_process(web: WebProcess, stores: Stores) -> None:
    """Check that each stream ends by itself, with a time to reconnect of its own."""
    raise_file_limit()
    writer = await Writer.submit(stores)
    request = f"GET /runs/{writer.run_id}/live?view=run HTTP/1.1\r\nHost: {web.url[7:]}\r\n\r\n".encode()

    async def open_stream() -> asyncio.StreamReader:
        reader, connection = await asyncio.open_connection("127.0.0.1", web.port)
        connections.append(connection)
        connection.write(request)
        await reader.readuntil(b"event: open\n")
        return reader

    connections: list[asyncio.StreamWriter] = []
    readers = [await open_stream() for _ in range(1_000)]
    await web.stop()
    endings = [await reader.read() for reader in readers]
    closing = re.compile(rb"event: closing\nretry: (\d+)\ndata:\n\n\r\n0\r\n\r\n$")
    delays = [found[1] for ending in endings if (found := closing.search(ending))]
    assert len(delays) == 1_000
    assert len(set(delays)) > 500
    for connection in connections:
        connection.close()


async def test_every_viewer_finds_the_next_process_where_the_last_one_left_it(
    web: WebProcess, client: httpx2.AsyncClient, stores: Stores
) -> None:
    """Kill the process again and again while a run is written: what each viewer reads is the whole log."""
    writer = await Writer.submit(stores)
    done = asyncio.Event()

    async def follow() -> list[str]:
        cursors: list[str] = []
        while True:
            try:
                async with streaming(client, writer, cursors[-1] if cursors else "0-0") as (response, messages):
                    assert response.status_code == 200
                    async for message in messages:
                        if found := re.match(r"id: (\S+)", message):
                            cursors.append(found[1])
                        if message.startswith("event: end"):
                            return cursors
            except httpx2.TransportError:
                await asyncio.sleep(0.01)

    async def disturb() -> None:
        while not done.is_set():
            await web.kill()
            await web.start()

    viewers = [asyncio.create_task(follow()) for _ in range(10)]
    disturbing = asyncio.create_task(disturb())
    await writer.begin(STEP)
    for number in range(150):
        await writer.write(STEP, f"{number} ")
        await asyncio.sleep(0.01)
    done.set()
    await disturbing
    await writer.end()
    newest = (await writer.fold()).cursor
    for cursors in await asyncio.gather(*viewers):
        assert cursors[-1] == newest
        assert len(set(cursors)) == len(cursors)
