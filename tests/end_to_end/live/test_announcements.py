"""Announcements of a run's end and of its waiting on a live page, and where they lead."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.app.live.writing import Stores
from tests.end_to_end.live.posts import FIRST, THIRD, PostWriter, ProductWeb
from tests.end_to_end.live.proxy import Proxy
from tests.end_to_end.live.reading import check, open_post, wait_for_cursor
from tests.end_to_end.live.tabs import show

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]

TELL = "Tell me when it’s done"
REMEMBER_NOTIFICATIONS = """
    window.told = [];
    window.Notification = class { constructor(title) { window.told.push(title); }
        static permission = 'granted'; static async requestPermission() { return 'granted'; } };"""
REFUSE_NOTIFICATIONS = """
    window.Notification = class { constructor() { throw new TypeError('Illegal constructor'); }
        static permission = '%s'; static async requestPermission() { return 'granted'; } };"""
FOCUSED = "() => document.activeElement.closest('[aria-label], [data-section]')?.ariaLabel ?? document.activeElement.id"


async def follow_run_page(context: BrowserContext, url: str, writer: PostWriter) -> Page:
    page = await context.new_page()
    await page.goto(f"{url}/runs/{writer.run_id}")
    return page


@pytest.mark.parametrize("pause", ["Waiting for you", "Finished with gaps"])
async def test_screen_readers_hear_each_end_and_each_wait_at_once(
    context: BrowserContext, web: ProductWeb, writer: PostWriter, pause: str
) -> None:
    """However short ago something else was read out; the page of the run itself counts no sections."""
    post, run = await open_post(context, web.url, writer), await follow_run_page(context, web.url, writer)
    await check(post, writer)
    for page in (post, run):
        await expect(page.locator("[data-announce]")).to_be_empty()
    await writer.succeed(FIRST)
    await (writer.ask_for_outline() if pause == "Waiting for you" else writer.end_incomplete(THIRD))
    await check(post, writer)
    assert await post.inner_text("[data-announce]") == f"{pause}: A post. 1 of 3 sections written"
    await wait_for_cursor(run, (await writer.fold()).cursor)
    assert await run.inner_text("[data-announce]") == f"{pause}: A post"


async def test_activity_says_that_a_run_waits(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    await writer.ship()
    page = await context.new_page()
    await page.goto(f"{web.url}/runs")
    await writer.ask_for_outline()
    await writer.ship()
    await expect(page.locator("[data-announce]")).to_contain_text("Waiting for you: Activity. ")
    assert (await context.request.post(f"{web.url}/runs/{writer.run_id}/cancellation")).ok
    await writer.ship()


async def test_whoever_asked_is_told_of_a_wait(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    await context.add_init_script(REMEMBER_NOTIFICATIONS)
    page = await context.new_page()
    await page.clock.install()
    await page.goto(web.url + writer.address)
    await page.get_by_role("button", name=TELL).click()
    await show(page, "hidden")
    await writer.ask_for_outline()
    await page.clock.run_for(16_000)
    await page.wait_for_function("() => window.told.length")
    assert await page.evaluate("window.told") == ["Waiting for you: A post"]


async def test_the_wish_to_be_told_is_seen_and_can_be_taken_back(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    """It stands by the run's bar, keeps the focus, and outlives patches and a reload."""
    await context.add_init_script(REMEMBER_NOTIFICATIONS)
    page = await open_post(context, web.url, writer)
    button, note = page.get_by_role("button", name=TELL), page.get_by_text("You will be told")
    await expect(button).to_be_in_viewport()
    await expect(note).to_be_hidden()
    await button.press("Enter")
    await expect(button).to_have_attribute("aria-pressed", "true")
    await expect(note).to_be_visible()
    await writer.succeed(FIRST)
    await check(page, writer)
    await expect(button).to_be_focused()
    await page.reload()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await button.press("Enter")
    await expect(button).to_have_attribute("aria-pressed", "false")
    await expect(note).to_be_hidden()
    await show(page, "hidden")
    await show(page, "visible")
    await writer.end()
    await check(page, writer)
    await expect(button).to_be_hidden()
    assert await page.evaluate(FOCUSED) == "How it stands"


async def test_where_pages_cannot_notify_they_do_not_offer_it(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    await context.add_init_script(REFUSE_NOTIFICATIONS % "default")
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await expect(page.get_by_role("button", name=TELL)).to_be_hidden()


async def test_a_notification_that_fails_costs_nothing_else(
    context: BrowserContext, proxy: Proxy, writer: PostWriter
) -> None:
    await context.add_init_script(REFUSE_NOTIFICATIONS % "granted")
    page, errors = await context.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.clock.install()
    await page.goto(proxy.url + writer.address)
    await page.get_by_role("button", name=TELL).click()
    await show(page, "hidden")
    await writer.end()
    await page.clock.run_for(40_000)
    await expect(page).to_have_title("Finished: A post")
    await show(page, "visible")
    await check(page, writer)
    assert errors == []


async def test_focus_on_what_a_patch_takes_away_stays_near(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await page.get_by_role("button", name="Stop").focus()
    await writer.end()
    await check(page, writer)
    assert await page.evaluate(FOCUSED) == "How it stands"


async def test_new_text_leads_to_the_nearest_and_takes_the_focus_there(
    context: BrowserContext, web: ProductWeb, stores: Stores
) -> None:
    """Past what is held back until it is known what it is; and on to the next text when pressed again."""
    writer = await PostWriter.order(stores)
    await writer.begin(THIRD)
    for step in (FIRST, THIRD):
        await writer.write(step, "Text that fills its line, and then some.\n\n" * 30)
        await writer.write(step, "- one\n- the last item\n\n[held back")
    page = await open_post(context, web.url, writer)
    await check_items(page, "alpha", "gamma")
    offer = page.get_by_role("button", name="New text below")
    for section in ("alpha", "gamma"):
        await offer.click()
        await expect(page.locator(f"[data-section={section}] li").last).to_be_in_viewport(ratio=1)
        assert await page.evaluate("document.activeElement.closest('[data-section]').dataset.section") == section
    await expect(offer).to_be_hidden()
    await writer.write(THIRD, "](https://example.com) and on.\n\nMore")
    await wait_for_cursor(page, (await writer.fold()).cursor)
    assert await page.evaluate("document.activeElement.closest('[data-section]').dataset.section") == "gamma"
    await writer.end()


async def check_items(page: Page, *sections: str) -> None:
    """In each section a list stands last of what shows."""
    for section in sections:
        await expect(page.locator(f"[data-section={section}] .prose > ul:last-child li + li")).to_be_attached()


@pytest.mark.parametrize("width", [360, 390, 1200])
async def test_a_lost_connection_covers_no_button(
    context: BrowserContext, web: ProductWeb, writer: PostWriter, width: int
) -> None:
    await writer.end()
    page = await open_post(context, web.url, writer)
    await page.set_viewport_size({"width": width, "height": 700})
    # Shown and measured at one moment: the page hides again what it has no reason to show.
    banner, offer = boxes = await page.evaluate("""() => { const [banner, offer] = ['.connection', '[data-below]']
            .map((selector) => document.querySelector(selector));
        banner.textContent = banner.dataset.reconnecting;
        banner.dataset.state = 'reconnecting';
        banner.hidden = offer.hidden = false;
        return [banner, offer].map((shown) => shown.getBoundingClientRect().toJSON()); }""")
    assert offer["height"] > 0
    assert offer["bottom"] <= banner["top"]
    for box in boxes:
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
