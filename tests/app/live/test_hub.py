from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from app.contract.cursors import START, is_after
from app.contract.run import Run
from app.live import hub as hubs
from app.live.channel import View
from app.live.hub import Hub
from app.live.notifications import Notifications
from app.live.sse import END, PING
from app.live.viewer import Viewer
from tests.app.live.serving import PlainView
from tests.app.live.valkey import Valkey
from tests.app.live.writing import Stores, Writer

STEP = "write-post/section:a"


class Counting(PlainView):
    """Counts its renderings, and fails to render while `broken`."""

    def __init__(self) -> None:
        self.rendered = 0
        self.broken = False

    def patches(self, run: Run, after: str) -> str:
        if self.broken:
            raise ValueError("this fragment can't be rendered")
        self.rendered += 1
        return super().patches(run, after)


class Page:
    """A page as a stream's messages make it. Its connection holds one message."""

    def __init__(self, viewer: Viewer, cursor: str = START) -> None:
        self.cursor = cursor
        self.texts: dict[str, str] = {}
        self.patches = self.resets = 0
        self.ended = False
        self._connection: asyncio.Queue[Any] = asyncio.Queue(maxsize=1)
        self._gone = asyncio.Event()
        self.stream = asyncio.create_task(viewer.follow(self._receive, self._connection.put))

    async def _receive(self) -> dict[str, str]:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def read(self) -> bytes:
        assert not self.ended, "there is nothing more to read"
        message = await self._connection.get()
        self.ended = not message["more_body"]
        frame: bytes = message["body"]
        if found := re.search(rb"^id: (\S+)$", frame, re.MULTILINE):
            reset, cursor = frame.startswith(b"event: reset\n"), found[1].decode()
            assert reset or is_after(cursor, self.cursor), "a message that came before"
            self.cursor, self.patches, self.resets = cursor, self.patches + 1, self.resets + reset
            if reset:
                self.texts = {}
            self._take(frame.decode().replace("\ndata: ", "\n"))
        return frame

    def _take(self, html: str) -> None:
        for path, text in re.findall(r'data-step="([^"]*)".*?<p [^>]*>(.*?)</p>', html, re.DOTALL):
            self.texts[path] = text

    async def read_until(self, cursor: str) -> None:
        while is_after(cursor, self.cursor):
            await self.read()

    async def read_to_end(self) -> list[bytes]:
        frames = []
        while not self.ended:
            frames.append(await self.read())
        return frames

    async def close(self) -> None:
        self._gone.set()
        await self.stream


class Place:
    """A hub on real stores."""

    def __init__(self, stores: Stores, ping_seconds: float, idle_seconds: float) -> None:
        self.notifications, self.view = Notifications(stores.redis), Counting()
        self.hub = Hub(stores.log, self.notifications, self._open, ping_seconds, idle_seconds)

    async def _open(self, _kind: str, _run_id: str) -> View:
        return self.view

    async def watch(self, writer: Writer, after: str = START) -> Page:
        return Page(await self.hub.open(writer.run_id, "run", after), after)


@asynccontextmanager
async def opened(
    stores: Stores, ping_seconds: float = hubs.PING_SECONDS, idle_seconds: float = hubs.IDLE_SECONDS
) -> AsyncIterator[Place]:
    place = Place(stores, ping_seconds, idle_seconds)
    await place.notifications.start()
    await place.hub.start()
    try:
        yield place
    finally:
        await place.hub.stop()
        await place.notifications.stop()


@pytest.fixture
async def place(stores: Stores) -> AsyncIterator[Place]:
    async with opened(stores) as made:
        yield made


async def test_it_begins_with_a_retry_and_one_message_to_catch_up(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    for word in ("one ", "two ", "three"):
        newest = await writer.write(STEP, word)
    page = await place.watch(writer)
    assert re.fullmatch(rb"event: open\nretry: \d+\ndata:\n\n", await page.read())
    await page.read()
    assert page.cursor == newest
    assert page.texts == {STEP: "one two three"}
    await page.close()


async def test_what_comes_is_followed_to_the_end(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    page = await place.watch(writer)
    reading = asyncio.create_task(page.read_to_end())
    await writer.begin(STEP)
    for number in range(100):
        await writer.write(STEP, f"{number} ")
    await writer.succeed(STEP)
    await writer.end()
    frames = await reading
    assert frames[-1] == END
    assert page.texts == await writer.texts()
    assert page.cursor == (await writer.fold()).cursor


async def test_a_retracted_text_goes(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    half = await writer.write(STEP, "half a sent")
    page = await place.watch(writer)
    await page.read_until(half)
    await writer.retry(STEP, 1)
    whole = await writer.write(STEP, "A whole one.", attempt=2)
    await page.read_until(whole)
    assert page.texts == {STEP: "A whole one."}
    await page.close()


async def test_viewers_at_one_place_share_one_rendering(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    pages = [await place.watch(writer) for _ in range(50)]
    begun = await writer.begin(STEP)
    await asyncio.gather(*(page.read_until(begun) for page in pages))
    before = place.view.rendered
    newest = await writer.write(STEP, "for all")
    await asyncio.gather(*(page.read_until(newest) for page in pages))
    assert place.view.rendered == before + 1
    assert place.hub.viewers == 50
    for page in pages:
        await page.close()
    assert place.hub.viewers == 0


async def test_one_who_reads_slowly_gets_one_message_for_all_it_missed(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    slow, quick = await place.watch(writer), await place.watch(writer)
    begun = await writer.begin(STEP)
    await asyncio.gather(slow.read_until(begun), quick.read_until(begun))
    patches = slow.patches
    for number in range(10):
        newest = await writer.write(STEP, f"{number} ")
        await quick.read_until(newest)
    await slow.read_until(newest)
    # One that its connection held, one that waited for the connection, and one for all the rest.
    assert slow.patches == patches + 3
    assert slow.texts == quick.texts == await writer.texts()
    await slow.close()
    await quick.close()


async def test_a_burst_becomes_few_messages(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    page = await place.watch(writer)
    begun = await writer.begin(STEP)
    await page.read_until(begun)
    reading = asyncio.create_task(page.read_to_end())
    for _ in range(200):
        await writer.write(STEP, "x")
    await writer.end()
    await reading
    assert page.patches < 100
    assert page.texts == await writer.texts()


async def test_churn_loses_and_doubles_nothing(place: Place, stores: Stores) -> None:
    """Disconnect pages anywhere and reconnect them with their cursors, while the run goes on."""
    writer = await Writer.submit(stores)

    async def follow(breaks: int) -> Page:
        page = await place.watch(writer)
        while True:
            for _ in range(breaks):
                if await page.read() == END:
                    return page
            await page.close()
            again = await place.watch(writer, page.cursor)
            again.texts = page.texts
            page = again

    pages = [asyncio.create_task(follow(2 + number % 5)) for number in range(40)]
    for section in range(5):
        step = f"write-post/section:{section}"
        await writer.begin(step)
        for number in range(40):
            await writer.write(step, f"{number} ")
    await writer.end()
    expected = await writer.texts()
    for page in await asyncio.gather(*pages):
        assert page.texts == expected
        await page.close()
    assert place.hub.viewers == 0


async def test_an_error_in_rendering_does_not_end_the_stream(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    page = await place.watch(writer)
    await page.read_until(await writer.begin(STEP))
    place.view.broken = True
    reading = asyncio.create_task(page.read_to_end())
    lost = await writer.write(STEP, "lost? ")
    other = await place.watch(writer)
    assert (await other.read()).startswith(b"event: open")
    assert is_after(lost, page.cursor)
    place.view.broken = False
    await writer.write(STEP, "no")
    await writer.end()
    await reading
    assert page.texts == {STEP: "lost? no"}
    await other.close()


async def test_a_lost_redis_is_noticed_and_answered_with_a_reset(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    await writer.write(STEP, "kept")
    await writer.ship()
    page = await place.watch(writer)
    await page.read_until(await writer.write(STEP, " and lost"))
    await stores.redis.flushall()
    while not page.resets:
        await page.read()
    assert page.texts == {STEP: "kept"}
    assert page.cursor == (await writer.fold()).cursor
    await page.close()


async def test_newer_events_do_not_hide_that_older_ones_were_lost(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    await writer.ship()
    page = await place.watch(writer)
    await page.read_until(await writer.begin("write-post/lost"))
    await stores.redis.flushall()
    await writer.take()
    newest = await writer.begin("write-post/again")
    while page.cursor != newest:
        await page.read()
    assert page.resets == 1
    assert page.texts == {"write-post/again": ""}
    await page.close()


async def test_an_outage_of_redis_ends_no_stream(place: Place, stores: Stores, valkey: Valkey) -> None:
    writer = await Writer.submit(stores)
    await writer.ship()
    page = await place.watch(writer)
    await page.read_until((await writer.fold()).cursor)
    await valkey.kill()
    await valkey.start()
    await writer.take()
    newest = await writer.begin(STEP)
    await page.read_until(newest)
    assert page.texts == {STEP: ""}
    await page.close()


async def test_one_who_stands_nowhere_gets_everything(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    page = Page(await place.hub.open(writer.run_id, "run", "99999999999999-0", reset=True))
    await page.read()
    assert (await page.read()).startswith(b"event: reset\n")
    assert page.cursor == (await writer.fold()).cursor
    await page.close()


async def test_closing_tells_each_when_to_come_back(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    pages = [await place.watch(writer) for _ in range(20)]
    reading = [asyncio.create_task(page.read_to_end()) for page in pages]
    last = await place.watch(writer)
    await last.read_until((await writer.fold()).cursor)
    place.hub.close()
    delays = set()
    for frames in await asyncio.gather(*reading):
        found = re.fullmatch(rb"event: closing\nretry: (\d+)\ndata:\n\n", frames[-1])
        assert found
        delays.add(found[1])
    assert len(delays) > 10
    await last.close()


async def test_a_stream_that_is_cut_off_is_forgotten_at_once(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    page = await place.watch(writer)
    await page.read_until((await writer.fold()).cursor)
    assert place.hub.viewers == 1
    page.stream.cancel()
    await asyncio.wait([page.stream])
    assert place.hub.viewers == 0
    await asyncio.sleep(0)  # its follower was told to stop, and does so when it is its turn
    assert place.notifications.watchers == 0


async def test_a_connection_that_fails_ends_its_own_stream_alone(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    page = await place.watch(writer)
    open_viewer = await place.hub.open(writer.run_id, "run")

    async def fail(_message: Any) -> None:
        raise ConnectionResetError

    failing = asyncio.create_task(open_viewer.follow(asyncio.Event().wait, fail))
    await asyncio.wait([failing])
    assert failing.cancelled()
    await page.read_until(await writer.begin(STEP))
    assert place.hub.viewers == 1
    await page.close()


async def test_a_crowd_is_told_to_the_last_one(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    pages = [await place.watch(writer) for _ in range(350)]
    newest = await writer.begin(STEP)
    await asyncio.gather(*(page.read_until(newest) for page in pages))
    place.hub.close()
    endings = await asyncio.gather(*(page.read_to_end() for page in pages))
    assert all(frames[-1].startswith(b"event: closing\n") for frames in endings)
    for page in pages:
        await page.close()


async def test_folds_that_nobody_watches_are_kept_up_to_a_limit(place: Place, stores: Stores) -> None:
    first = await Writer.submit(stores)
    for _ in range(hubs.IDLE_CHANNELS + 5):
        writer = await Writer.submit(stores)
        await (await place.watch(writer)).close()
    watched = await place.watch(first)
    await watched.read()
    for _ in range(hubs.IDLE_CHANNELS + 5):
        await (await place.watch(await Writer.submit(stores))).close()
    assert place.hub.channels <= hubs.IDLE_CHANNELS + 1
    assert place.hub.viewers == 1
    await watched.close()


async def test_folds_that_nobody_has_watched_for_long_go(stores: Stores) -> None:
    async with opened(stores, ping_seconds=0.01, idle_seconds=0.2) as place:
        writer = await Writer.submit(stores)
        page = await place.watch(writer)
        await (await place.watch(await Writer.submit(stores))).close()
        while place.hub.channels > 1:
            await asyncio.sleep(0.01)
        newest = await writer.begin(STEP)
        await page.read_until(newest)
        await page.close()


async def test_an_ended_run_that_cannot_be_rendered_ends_its_pages(place: Place, stores: Stores) -> None:
    writer = await Writer.submit(stores)
    page = await place.watch(writer)
    await page.read_until(await writer.begin(STEP))
    place.view.broken = True
    await writer.end()
    async with asyncio.timeout(20):
        assert (await page.read_to_end())[-1] == END
        assert (await (await place.watch(writer)).read_to_end())[-1] == END
    await page.close()


async def test_pings_reach_a_quiet_page(stores: Stores) -> None:
    async with opened(stores, ping_seconds=0.01) as place:
        page = await place.watch(await Writer.submit(stores))
        while await page.read() != PING:
            pass
        await page.close()
