"""A live page in Chromium, through all that can happen to it: afterwards it says what the log says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import BrowserContext, Page

from tests.app.live.processes import WebProcess
from tests.app.live.valkey import Valkey
from tests.app.live.writing import Stores, Writer
from tests.end_to_end.live.proxy import Proxy

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("live pages")]

STEP = "write-post/section:a"
READ_TEXTS = """() => Object.fromEntries([...document.querySelectorAll('[data-step]')].map(
    (element) => [element.dataset.step, element.querySelector('p').textContent]))"""


async def open_page(context: BrowserContext, url: str, writer: Writer) -> Page:
    page = await context.new_page()
    await page.goto(f"{url}/runs/{writer.run_id}")
    return page


async def wait_for_cursor(page: Page, cursor: str) -> None:
    await page.wait_for_function("(cursor) => document.querySelector('#live').dataset.cursor === cursor", arg=cursor)


async def check(page: Page, writer: Writer) -> None:
    """Wait until the page stands at the log's end; then it must show each step once, with exactly its text."""
    await wait_for_cursor(page, (await writer.fold()).cursor)
    assert await page.evaluate(READ_TEXTS) == await writer.texts()
    assert await page.locator("[data-step]").count() == len(await writer.texts())


async def write_on(writer: Writer, words: int = 20, attempt: int = 1) -> None:
    for number in range(words):
        await writer.write(STEP, f"<b>{number}</b> & ", attempt)
        await asyncio.sleep(0.01)


async def while_writing(writer: Writer, disturb: Callable[[], Awaitable[object]], words: int = 60) -> None:
    writing = asyncio.create_task(write_on(writer, words))
    await disturb()
    await writing


async def started(stores: Stores) -> Writer:
    writer = await Writer.submit(stores)
    await writer.begin(STEP)
    await write_on(writer, 3)
    return writer


async def test_it_follows_to_the_end_and_then_stops(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, proxy.url, writer)
    for section in "bcd":
        await writer.begin(f"write-post/section:{section}")
        await writer.write(f"write-post/section:{section}", "text")
        await write_on(writer)
    await writer.retry(STEP, 1)
    await write_on(writer, attempt=2)
    await writer.succeed(STEP, 2)
    await writer.end()
    await check(page, writer)
    assert await page.title() == "succeeded: A post"
    assert proxy.opened == 1
    while proxy.streams:
        await asyncio.sleep(0.01)
    assert await page.locator(".connection").is_hidden()


async def test_refresh_at_any_moment(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)

    async def refresh() -> None:
        for _ in range(6):
            await page.reload()

    await while_writing(writer, refresh)
    await check(page, writer)


async def test_two_tabs_and_one_that_comes_late(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    writer = await started(stores)
    pages = [await open_page(context, web.url, writer) for _ in range(2)]
    await write_on(writer)
    pages.append(await open_page(context, web.url, writer))
    await write_on(writer)
    for page in pages:
        await check(page, writer)


async def test_offline_and_back(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)
    await check(page, writer)

    async def go_offline() -> None:
        await context.set_offline(True)
        await page.locator(".connection[data-state=offline]").wait_for()
        await context.set_offline(False)

    await while_writing(writer, go_offline)
    await check(page, writer)
    await page.locator(".connection").wait_for(state="hidden")


async def test_a_killed_server_and_its_successor(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)

    async def kill() -> None:
        for _ in range(2):
            await web.kill()
            await write_on(writer, 3)
            await web.start()

    await kill()
    await write_on(writer)
    await check(page, writer)


async def test_a_stopped_server_and_its_successor(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)
    await web.stop()
    await write_on(writer)
    await page.locator(".connection[data-state=reconnecting]").wait_for()
    await web.start()
    await check(page, writer)
    await page.locator(".connection").wait_for(state="hidden")


async def test_streams_cut_on_the_way(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, proxy.url, writer)

    async def cut() -> None:
        for number in range(1, 5):
            while not (proxy.streams and proxy.opened >= number):
                await asyncio.sleep(0.01)
            proxy.cut()

    await while_writing(writer, cut)
    await check(page, writer)


async def test_a_502_at_the_first_connection(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    writer = await started(stores)
    proxy.mood = "502"
    page = await open_page(context, proxy.url, writer)
    while proxy.refused < 2:
        await asyncio.sleep(0.01)
    assert await page.evaluate(READ_TEXTS) == await writer.texts()
    await write_on(writer)
    proxy.mood = "pass"
    await check(page, writer)


async def test_a_phase_of_503_and_other_answers(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, proxy.url, writer)
    await check(page, writer)
    for mood in ("503", "200 html"):
        proxy.mood = mood
        refused, opened = proxy.refused, proxy.opened
        proxy.cut()
        while proxy.refused < refused + 2:
            await asyncio.sleep(0.01)
        await write_on(writer)
        proxy.mood = "pass"
        await check(page, writer)
        assert proxy.opened > opened


async def test_the_back_forward_cache(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)
    await check(page, writer)
    await page.evaluate("addEventListener('pageshow', (event) => { window.persisted = event.persisted; })")
    await page.click("#away")
    await page.locator("h1").wait_for()
    await write_on(writer)
    await page.go_back(wait_until="commit")
    await check(page, writer)
    assert await page.evaluate("window.persisted") is True
    await write_on(writer)
    await check(page, writer)


async def test_a_lost_redis(context: BrowserContext, web: WebProcess, stores: Stores, valkey: Valkey) -> None:
    writer = await started(stores)
    await writer.ship()
    page = await open_page(context, web.url, writer)
    await writer.begin("write-post/lost")
    await check(page, writer)
    await valkey.kill()
    await valkey.start()
    await writer.take()
    await writer.begin("write-post/again")
    await check(page, writer)


async def test_focus_selection_and_an_opened_detail_are_kept(
    context: BrowserContext, web: WebProcess, stores: Stores
) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)
    await page.click("#s0 summary")
    await page.evaluate("""() => { const text = document.querySelector('#p0').firstChild;
        getSelection().setBaseAndExtent(text, 2, text, 8); }""")
    selected = await page.evaluate("getSelection().toString()")
    await write_on(writer)
    await check(page, writer)
    assert await page.evaluate("getSelection().toString()") == selected
    assert await page.locator("#d0").get_attribute("open") is not None
    assert await page.evaluate("document.activeElement.localName") == "summary"
    await page.fill("#typed", "half a thought")
    await write_on(writer)
    await check(page, writer)
    assert await page.input_value("#typed") == "half a thought"


async def test_new_text_below_is_offered_and_nothing_jumps(
    context: BrowserContext, web: WebProcess, stores: Stores
) -> None:
    writer = await started(stores)
    page = await open_page(context, web.url, writer)
    for number in range(60):
        await writer.begin(f"write-post/section:{number}")
    await check(page, writer)
    assert await page.evaluate("scrollY") == 0
    await page.locator("[data-below]").wait_for()
    await page.click("[data-below]")
    await page.locator("[data-below]").wait_for(state="hidden")
    assert await page.evaluate("scrollY") > 0


async def test_a_hidden_tab_rests_and_catches_up(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    writer = await started(stores)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{proxy.url}/runs/{writer.run_id}")
    await check(page, writer)
    await show(page, "hidden")
    while proxy.streams:
        await asyncio.sleep(0.01)
    await write_on(writer)
    await writer.succeed(STEP)
    await writer.end()
    await page.clock.fast_forward(15_000)
    await page.wait_for_function("document.title === 'succeeded: A post'")
    assert not proxy.streams
    await show(page, "visible")
    await check(page, writer)


async def test_a_tab_that_opens_hidden_waits_for_its_turn(
    context: BrowserContext, proxy: Proxy, stores: Stores
) -> None:
    writer = await started(stores)
    page = await context.new_page()
    await page.add_init_script("Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })")
    await page.goto(f"{proxy.url}/runs/{writer.run_id}")
    await write_on(writer)
    assert proxy.opened == 0
    await show(page, "visible")
    await check(page, writer)


async def test_a_silent_connection_is_given_up(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    """The clock jumps, as it does when a laptop wakes up."""
    writer = await started(stores)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{proxy.url}/runs/{writer.run_id}")
    await check(page, writer)
    await page.clock.fast_forward(100_000)
    while proxy.opened < 2:
        await page.clock.fast_forward(1_000)
    await write_on(writer)
    await check(page, writer)


async def test_times_count_up(context: BrowserContext, web: WebProcess, stores: Stores) -> None:
    page = await open_page(context, web.url, await started(stores))
    await page.wait_for_function("/^\\d+ s$/.test(document.querySelector('#elapsed').textContent)")
    before = await page.inner_text("#elapsed")
    await page.wait_for_function("(before) => document.querySelector('#elapsed').textContent !== before", arg=before)


async def test_the_summary_is_announced_once_it_changes(
    context: BrowserContext, web: WebProcess, stores: Stores
) -> None:
    writer = await started(stores)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{web.url}/runs/{writer.run_id}")
    await check(page, writer)
    await page.clock.run_for(2_000)
    assert await page.inner_text("[data-announce]") == ""
    await writer.begin("write-post/section:b")
    await check(page, writer)
    await page.clock.run_for(12_000)
    assert await page.inner_text("[data-announce]") == "2 steps"


async def show(page: Page, state: str) -> None:
    """Tell the page that its tab is visible or hidden: a headless browser's tabs are always visible."""
    await page.evaluate(
        """(state) => {
            Object.defineProperty(document, 'hidden', { configurable: true, get: () => state === 'hidden' });
            document.dispatchEvent(new Event('visibilitychange')); }""",
        state,
    )
