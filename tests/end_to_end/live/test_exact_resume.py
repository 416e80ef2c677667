"""Whatever happens to a live page, it loses its place in nothing: afterwards it says what the log says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser, BrowserContext, Page, StorageState, expect

from tests.app.live.valkey import Valkey
from tests.app.live.writing import Stores
from tests.end_to_end.live.posts import FIRST, SECOND, PostWriter, ProductWeb
from tests.end_to_end.live.processes import asleep
from tests.end_to_end.live.proxy import Proxy
from tests.end_to_end.live.reading import check, check_moment, open_post
from tests.end_to_end.live.tabs import HIDDEN_FROM_THE_START, show

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]


async def while_writing(writer: PostWriter, disturb: Callable[[], Awaitable[None]]) -> None:
    """Words come for as long as it takes, and some after it."""
    disturbing = asyncio.ensure_future(disturb())
    while not disturbing.done():
        await writer.write_on(5)
    await disturbing
    await writer.write_on(5)


async def test_nothing_happens_to_it(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    page = await open_post(context, proxy.url, writer)
    await writer.begin(SECOND)
    await writer.write_on(12)
    await writer.write_on(7, step=SECOND)
    await check(page, writer)
    await writer.retry(FIRST, 1)
    await check(page, writer)
    await writer.write_on(11, attempt=2)
    await writer.succeed(FIRST, 2)
    await writer.end()
    await check(page, writer)
    assert proxy.opened == 1
    while proxy.streams:
        await asyncio.sleep(0.01)
    assert await page.locator(".connection").is_hidden()


async def test_a_refresh_at_any_moment(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    seen: list[str] = []

    async def refresh() -> None:
        for _ in range(6):
            await page.reload()
            seen.append(await check_moment(page, writer))

    await while_writing(writer, refresh)
    for change in (writer.retry(FIRST, 1), writer.write(FIRST, "anew", 2), writer.succeed(FIRST, 2), writer.end()):
        await asyncio.gather(page.reload(), change)
        seen.append(await check_moment(page, writer))
    await check(page, writer)
    assert len(set(seen)) > 4


async def test_closed_and_opened_again(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await page.close()
    await writer.write_on()
    again = await open_post(context, web.url, writer)
    await check(again, writer)
    await writer.write_on()
    await check(again, writer)


async def test_closed_here_and_opened_on_another_device(
    context: BrowserContext, live_browser: Browser, signed_in: StorageState, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await page.close()
    await writer.write_on()
    device = await live_browser.new_context(storage_state=signed_in, viewport={"width": 390, "height": 844})
    again = await open_post(device, web.url, writer)
    await writer.write_on()
    await check(again, writer)
    await device.close()


async def test_two_tabs_and_one_that_comes_late(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    pages = [await open_post(context, web.url, writer) for _ in range(2)]
    await writer.write_on()
    pages.append(await open_post(context, web.url, writer))
    await writer.write_on()
    for page in pages:
        await check(page, writer)


async def test_offline_and_back(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    banner = page.locator(".connection")

    async def go_offline() -> None:
        await context.set_offline(True)
        await expect(banner).to_have_text("You are offline. The work goes on; this page catches up when you are back.")
        await context.set_offline(False)

    await while_writing(writer, go_offline)
    await check(page, writer)
    await expect(banner).to_be_hidden()


async def test_a_killed_server_and_its_successor(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    banner = page.locator(".connection")
    await web.kill()
    await writer.write_on()
    await expect(banner).to_have_text("Connection lost. Reconnecting; nothing is lost meanwhile.")
    await web.start()
    await writer.write_on()
    await check(page, writer)
    await expect(banner).to_be_hidden()


async def test_a_stopped_server_and_its_successor(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await web.stop()
    await writer.write_on()
    await web.start()
    await check(page, writer)


async def test_streams_cut_on_the_way(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    page = await open_post(context, proxy.url, writer)

    async def cut() -> None:
        for _ in range(3):
            seen = await page.locator("#live").get_attribute("data-cursor")
            await expect(page.locator("#live")).not_to_have_attribute("data-cursor", seen or "")
            opened = proxy.opened
            proxy.cut()
            while proxy.opened == opened:
                await asyncio.sleep(0.01)

    await while_writing(writer, cut)
    await check(page, writer)
    assert proxy.opened > 3


async def test_a_502_at_the_first_connection(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    proxy.mood = "502"
    page = await open_post(context, proxy.url, writer)
    while proxy.refused < 2:
        await asyncio.sleep(0.01)
    await check(page, writer)
    await writer.write_on()
    proxy.mood = "pass"
    await check(page, writer)


async def test_ten_seconds_of_502(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    """Ten seconds by the page's clock, which is wound on between its attempts."""
    page = await context.new_page()
    await page.clock.install()
    await page.goto(proxy.url + writer.address)
    await check(page, writer)
    proxy.mood = "502"
    proxy.cut()
    seconds = 0
    while seconds < 10 or proxy.refused < 4:
        await page.clock.run_for(1_000)
        await writer.write_on(2)
        seconds += 1
    assert "Bad gateway" not in await page.inner_text("body")
    assert await page.title() == "Writing: A post"
    proxy.mood = "pass"
    while not proxy.streams:
        await page.clock.run_for(1_000)
    await check(page, writer)


async def test_other_answers_than_a_stream(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    page = await open_post(context, proxy.url, writer)
    await check(page, writer)
    for mood in ("503", "200 html"):
        proxy.mood = mood
        refused = proxy.refused
        proxy.cut()
        while proxy.refused < refused + 2:
            await asyncio.sleep(0.01)
        await writer.write_on()
        proxy.mood = "pass"
        await check(page, writer)


async def test_a_laptop_that_slept(
    context: BrowserContext, live_browser: Browser, proxy: Proxy, writer: PostWriter
) -> None:
    """Nothing runs, the connection is forgotten on the way, and all timers come an hour late."""
    page = await context.new_page()
    await page.clock.install()
    await page.goto(proxy.url + writer.address)
    await check(page, writer)
    async with asleep(live_browser):
        proxy.lose()
        await writer.write_on()
    await page.clock.fast_forward("01:00:00")
    while proxy.opened < 2:
        await page.clock.run_for(1_000)
    await check(page, writer)
    await writer.write_on()
    await check(page, writer)


async def test_a_sleep_through_a_cut(
    context: BrowserContext, live_browser: Browser, proxy: Proxy, writer: PostWriter
) -> None:
    page = await open_post(context, proxy.url, writer)
    await check(page, writer)
    async with asleep(live_browser):
        proxy.cut()
        await writer.write_on()
        await writer.retry(FIRST, 1)
        await writer.write_on(attempt=2)
    await check(page, writer)


async def test_the_back_forward_cache(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await page.evaluate("addEventListener('pageshow', (event) => { window.persisted = event.persisted; })")
    await page.get_by_role("link", name="Tokens").click()
    await page.get_by_role("heading", name="API tokens").wait_for()
    await writer.write_on()
    await page.go_back(wait_until="commit")
    await check(page, writer)
    assert await page.evaluate("window.persisted") is True
    await writer.write_on()
    await check(page, writer)


async def test_a_lost_redis(context: BrowserContext, web: ProductWeb, writer: PostWriter, valkey: Valkey) -> None:
    await writer.ship()
    page = await open_post(context, web.url, writer)
    await writer.begin(SECOND)
    await writer.write_on(5, step=SECOND)
    await check(page, writer)
    await valkey.kill()
    await valkey.start()
    await writer.take()
    await writer.begin("write-post/after")
    await check(page, writer)


async def open_tabs(context: BrowserContext, proxy: Proxy, writers: list[PostWriter]) -> list[Page]:
    """Tabs opened one after the other: each is in front until the next one is."""
    pages: list[Page] = []
    for writer in writers:
        if pages:
            await show(pages[-1], "hidden")
        pages.append(await open_post(context, proxy.url, writer))
        while proxy.streams != 1:
            await asyncio.sleep(0.01)
    return pages


async def test_ten_tabs_of_one_post(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    """A browser has six connections for a host: ten tabs work since only the one in front holds one."""
    pages = await open_tabs(context, proxy, [writer] * 10)
    for front in pages:
        await show(pages[-1], "hidden")
        await writer.write_on(2)
        await show(front, "visible")
        await check(front, writer)
        pages[-1] = front


async def test_ten_tabs_of_ten_posts(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    writers = [await PostWriter.order(stores) for _ in range(10)]
    pages = await open_tabs(context, proxy, writers)
    await asyncio.gather(*(writer.write_on(10) for writer in writers))
    await check(pages[-1], writers[-1])
    await show(pages[-1], "hidden")
    for page, writer in zip(pages, writers, strict=True):
        await show(page, "visible")
        await check(page, writer)
        await show(page, "hidden")


async def test_a_tab_that_opens_hidden_waits_for_its_turn(
    context: BrowserContext, proxy: Proxy, writer: PostWriter
) -> None:
    page = await context.new_page()
    await page.add_init_script(HIDDEN_FROM_THE_START)
    await page.goto(proxy.url + writer.address)
    await writer.write_on()
    assert proxy.opened == 0
    await show(page, "visible")
    await check(page, writer)
