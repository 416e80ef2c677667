"""The activity page and its stream: whose runs it shows, how little it sends, and that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
from litestar import Litestar
from lxml import html as lxml_html
from sqlalchemy import select
from sqlalchemy.event import listen
from sqlmodel import col

from app.contract import events as e
from app.contract import payloads as p
from app.main import closers
from app.stores.database import Database
from app.stores.tables import RunRow
from app.web.activity.board import BoardReader
from tests.app.conftest import Take, make_browser, start_echo
from tests.app.web.clients import add_post, add_site
from tests.app.web.conftest import Ship

Client = httpx2.AsyncClient


class Stream:
    """The frames of an open stream, without pings."""

    def __init__(self, response: httpx2.Response) -> None:
        self._lines = response.aiter_lines()

    async def read(self) -> list[str]:
        """The next frame's lines. Raises `StopAsyncIteration` at the end."""
        lines = []
        while line := await anext(self._lines):
            lines.append(line)
        return lines if lines[0] != "event: ping" else await self.read()

    async def read_board(self) -> str:
        """The HTML of the next change, which counts whatever the page shows."""
        frame = await self.read()
        assert frame[:2] == ["event: reset", "id: 0-0"], frame
        return "\n".join(line.removeprefix("data: ") for line in frame[2:])


@asynccontextmanager
async def follow(client: Client) -> AsyncIterator[Stream]:
    async with client.stream("GET", "/runs/live") as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        stream = Stream(response)
        assert (await stream.read())[0] == "event: open"
        yield stream


def listed(board: str) -> dict[str, str]:
    """Return the status of each run on a board, or in a part of it."""
    rows = lxml_html.fromstring(f"<div>{board}</div>").xpath("//li[@data-status]")
    return {row.get("id").removeprefix("row-"): row.get("data-status") for row in rows}


async def test_the_stream_begins_with_the_whole_board_and_continues_with_changes(
    ann: Client, bob: Client, take: Take, ship: Ship
) -> None:
    first, second = await start_echo(ann, "one"), await start_echo(ann, "two")
    async with follow(ann) as stream:
        assert listed(await stream.read_board()) == {second: "queued", first: "queued"}
        player = await take(first)
        await player.start()
        await ship()
        assert listed(await stream.read_board()) == {second: "queued", first: "running"}
        await player.begin("echo")
        await player.call("echo", input_tokens=5, output_tokens=2)
        await ship()
        assert listed(row := await stream.read_board()) == {first: "running"}
        assert "7 tokens" in row and 'hx-target="#row-' in row
        await player.end("one")
        await ship()
        assert list(listed(await stream.read_board()).items()) == [(second, "queued"), (first, "succeeded")]
    assert first not in (await bob.get("/runs")).text


async def test_a_row_counts_up_only_while_a_worker_holds_the_run(ann: Client, take: Take, ship: Ship) -> None:
    run = await start_echo(ann)

    async def row() -> str:
        await ship()
        return (await ann.get("/runs")).text

    assert "data-since" not in await row(), "it is queued"
    player = await take(run)
    await player.start()
    assert "data-since" in await row()
    await player.say(
        e.RunWaiting(data=p.WaitingData(asks=[p.Ask(ask="a", name="outline", step="echo")])), release="parked"
    )
    waiting = await row()
    assert "data-since" not in waiting and "so far" in waiting


async def test_first_run_of_a_new_browser_shows_on_a_page_that_was_open_before(address: str) -> None:
    async with make_browser(address) as somebody, follow(somebody) as stream:
        assert "Nothing has run yet" in await stream.read_board()
        run = await start_echo(somebody)
        assert listed(await stream.read_board()) == {run: "queued"}


async def test_the_stream_sends_a_retry_time_when_the_process_stops(ann: Client, app: Litestar) -> None:
    async with follow(ann) as stream:
        await stream.read_board()
        for close in closers(app.state):
            close()
        frame = await stream.read()
        assert frame[0] == "event: closing" and frame[1].startswith("retry: ")


async def test_a_hidden_tab_gets_the_state_of_the_board(ann: Client, take: Take, ship: Ship) -> None:
    assert (await ann.get("/runs/status")).json() == {"status": "quiet"}
    player = await take(await start_echo(ann))
    assert (await ann.get("/runs/status")).json() == {"status": "running"}
    await player.end()
    await ship()
    assert (await ann.get("/runs/status")).json() == {"status": "quiet"}


async def test_an_unreadable_cursor_is_refused(ann: Client) -> None:
    for place in ("x", "1-", "99999999999999999999-run_1", "1-run_1&after=2"):
        assert (await ann.get("/runs", params={"after": place})).status_code == 400, place


async def test_viewers_of_one_workspace_share_a_reading(app: Litestar, ann: Client, address: str) -> None:
    """Ten requests at the same time send as many SQL statements as one."""
    await start_echo(ann)
    database: Database = app.state.database
    async with database.reading() as session:
        workspace = await session.scalar(select(col(RunRow.workspace_id)))
    boards, statements = BoardReader(database), []
    listen(database.engine.sync_engine, "before_cursor_execute", lambda *told: statements.append(told[2]))
    alone = await boards.read(workspace)
    cost = len(statements)
    assert await asyncio.gather(*(boards.read(workspace) for _ in range(10))) == [alone] * 10
    assert len(statements) == 2 * cost
    leaving, staying = (asyncio.create_task(boards.read(workspace)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == alone


async def test_an_older_page_does_not_say_that_nothing_is_active(ann: Client, take: Take, ship: Ship) -> None:
    ended, _ = await start_echo(ann), await start_echo(ann)
    player = await take(ended)
    await player.start()
    await player.end("done")
    await ship()
    for after in ("9999999999999999-run_x", "1-run_x"):
        page = lxml_html.fromstring((await ann.get(f"/runs?after={after}")).text)
        said = page.xpath("string(//*[@id='activity'])")
        assert "Nothing is going on" not in said and "Nothing has run yet" not in said, after
    assert "Nothing ended earlier" in said


async def test_activity_lists_runs_with_the_page_that_shows_them(ann: Client) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    listed = lxml_html.fromstring((await ann.get("/runs")).text).xpath("//*[@class='list__title']/a/@href")
    assert listed == [post, site]
