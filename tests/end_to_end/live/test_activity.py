"""The activity page keeps up with every run of its workspace by itself."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from app.contract.events import RunWaiting
from app.contract.payloads import Ask, WaitingData
from tests.app.live.writing import Stores
from tests.end_to_end.live.posts import PostWriter, ProductWeb
from tests.end_to_end.live.proxy import Proxy
from tests.end_to_end.live.tabs import show

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]


async def order(stores: Stores) -> PostWriter:
    """A post that is being written, as far as SQL has it."""
    writer = await PostWriter.order(stores)
    await writer.ship()
    return writer


async def end(writer: PostWriter) -> None:
    await writer.end()
    await writer.ship()


async def open_activity(context: BrowserContext, url: str) -> Page:
    page = await context.new_page()
    await page.goto(f"{url}/runs")
    await page.evaluate("window.untouched = true")
    return page


async def expect_listed(page: Page, section: str, writer: PostWriter, status: str) -> None:
    """The run stands first in its section, and once on the page, which was not loaded again."""
    row = page.locator(f"#row-{writer.run_id}")
    await expect(row).to_have_attribute("data-status", status)
    await expect(row).to_have_count(1)
    await expect(page.locator(f"#{section} li").first).to_have_id(f"row-{writer.run_id}")
    assert await page.evaluate("window.untouched")


async def test_runs_appear_wait_and_end_while_one_looks_on(
    context: BrowserContext, web: ProductWeb, stores: Stores
) -> None:
    older = await order(stores)
    page = await open_activity(context, web.url)
    await expect_listed(page, "going", older, "running")
    writer = await order(stores)
    await expect_listed(page, "going", writer, "running")
    ask = Ask(ask="a", name="outline", step="write-post")
    await writer.append(RunWaiting(data=WaitingData(asks=[ask])), release="parked")
    await writer.ship()
    await expect_listed(page, "going", writer, "waiting")
    await page.wait_for_function("document.title === 'Waiting for you: Activity'")
    await end(older)
    await expect_listed(page, "ended", older, "succeeded")
    assert (await context.request.post(f"{web.url}/runs/{writer.run_id}/cancellation")).ok
    await writer.ship()
    await expect_listed(page, "going", writer, "queued")
    await expect(page.locator("#ended [data-since]")).to_have_count(0)


async def test_what_changes_takes_neither_focus_nor_place(
    context: BrowserContext, web: ProductWeb, stores: Stores
) -> None:
    ended, going = [await order(stores) for _ in range(12)], [await order(stores) for _ in range(3)]
    for writer in ended:
        await end(writer)
    page = await open_activity(context, web.url)
    link = page.locator(f"#row-{ended[0].run_id} .list__title a")
    await link.focus()
    await link.scroll_into_view_if_needed()
    place = await page.evaluate("scrollY")
    assert place > 0
    await going[1].write("write-post", "spends nothing, says something")
    await order(stores)
    await end(going[0])
    await expect_listed(page, "ended", going[0], "succeeded")
    assert await link.evaluate("link => document.activeElement === link")
    moved = page.locator(f"#row-{going[2].run_id} .list__title a")
    await moved.focus()
    await end(going[2])
    await expect_listed(page, "ended", going[2], "succeeded")
    assert await moved.evaluate("link => document.activeElement === link"), "a row that ended lost the focus"
    await end(going[1])


async def test_elapsed_time_counts_and_says_nothing_to_the_server(
    context: BrowserContext, web: ProductWeb, stores: Stores
) -> None:
    writer = await order(stores)
    page = await open_activity(context, web.url)
    elapsed = page.locator(f"#row-{writer.run_id} [data-since]")
    before = await elapsed.inner_text()
    await expect(elapsed).not_to_have_text(before)
    await end(writer)


async def test_it_goes_on_with_another_web_process(context: BrowserContext, web: ProductWeb, stores: Stores) -> None:
    page = await open_activity(context, web.url)
    first = await order(stores)
    await expect_listed(page, "going", first, "running")
    await web.kill()
    await expect(page.locator(".connection")).to_be_visible()
    await end(first)
    second = await order(stores)
    await web.start()
    await expect_listed(page, "ended", first, "succeeded")
    await expect_listed(page, "going", second, "running")
    await expect(page.locator(".connection")).to_be_hidden()
    await end(second)


async def test_a_hidden_tab_holds_no_stream_and_catches_up(
    context: BrowserContext, proxy: Proxy, stores: Stores
) -> None:
    page = await open_activity(context, proxy.url)
    first = await order(stores)
    await expect_listed(page, "going", first, "running")
    await show(page, "hidden")
    while proxy.streams:
        await page.wait_for_timeout(20)
    await end(first)
    assert await page.locator(f"#row-{first.run_id}").get_attribute("data-status") == "running"
    await show(page, "visible")
    await expect_listed(page, "ended", first, "succeeded")


async def test_older_runs_have_a_page_of_their_own(context: BrowserContext, web: ProductWeb, stores: Stores) -> None:
    writers = [await order(stores) for _ in range(52)]
    for writer in writers:
        await end(writer)
    page = await open_activity(context, web.url)
    newest = await page.locator("#ended li").evaluate_all("rows => rows.map(row => row.id)")
    assert newest == [f"row-{writer.run_id}" for writer in reversed(writers)][:50]
    await page.get_by_role("link", name="Older").click()
    await page.wait_for_url("**/runs?after=*")
    older = await page.locator("#ended li").evaluate_all("rows => rows.map(row => row.id)")
    assert older[:2] == [f"row-{writer.run_id}" for writer in reversed(writers)][50:]
    assert not set(older) & set(newest)
    await expect(page.locator("#live")).to_have_count(0)
