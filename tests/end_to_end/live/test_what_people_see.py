"""Live pages while they follow a run: what they show, and what of a person's they leave alone."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import BrowserContext, Page, expect

from tests.app.live.writing import Stores
from tests.end_to_end.live.posts import FIRST, ROOT_STEP, SECOND, SITE, THIRD, PostWriter, ProductWeb
from tests.end_to_end.live.proxy import Proxy
from tests.end_to_end.live.reading import check, open_post, wait_for_cursor
from tests.end_to_end.live.tabs import show

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]

REMEMBER_NOTIFICATIONS = """
    window.told = [];
    window.Notification = class extends Notification {
        constructor(title, options) { super(title, options); window.told.push(title); } };"""

COUNT_WORDS = """() => {
    window.announced = 0;
    new MutationObserver((changes) => { window.announced += changes.length; }).observe(
        document.querySelector('[data-announce]'), { childList: true, characterData: true, subtree: true }); }"""

FIND_ANNOUNCERS = """() => [...document.querySelectorAll('[data-section], [data-section] *')]
    .flatMap((element) => { const closest = element.closest('[aria-live], [role=status], [role=alert], [role=log]');
                            return closest ? [closest.outerHTML] : []; })"""

SOURCES = [
    {"number": n, "url": f"https://example.com/{n}", "title": f"Page {n}", "passages": [f"s{n}"]} for n in range(1, 25)
]
CITING = f"It all stands somewhere [{', '.join(f's{n}' for n in range(1, 25))}]."

COUNT_ANIMATIONS = "() => document.getAnimations().filter((animation) => animation.playState === 'running').length"


async def open_with_clock(context: BrowserContext, url: str, writer: PostWriter) -> Page:
    page = await context.new_page()
    await page.clock.install()
    await page.goto(url + writer.address)
    await check(page, writer)
    return page


async def test_that_it_is_safe_to_close(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await expect(page.get_by_text("Safe to close this tab: the writing goes on.")).to_be_visible()
    await writer.end()
    await check(page, writer)
    await expect(page.get_by_text("Safe to close")).to_have_count(0)


async def test_a_short_cut_is_not_worth_a_word(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    page = await open_post(context, proxy.url, writer)
    await check(page, writer)
    await page.evaluate("""() => { window.shown = 0; new MutationObserver(() => { window.shown += 1; }).observe(
        document.querySelector('.connection'), { attributes: true }); }""")
    proxy.cut()
    await writer.write_on()
    await check(page, writer)
    assert await page.evaluate("window.shown") == 0


async def test_a_page_that_may_not_be_followed_says_so(
    context: BrowserContext, proxy: Proxy, writer: PostWriter
) -> None:
    page = await open_post(context, proxy.url, writer)
    await check(page, writer)
    await context.clear_cookies()
    proxy.cut()
    await expect(page.locator(".connection")).to_have_text("This page can’t be followed any more. Reload it.")


async def test_the_title_says_how_it_stands(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await expect(page).to_have_title("Writing: A post")
    await writer.end()
    await expect(page).to_have_title("Finished: A post")
    await page.reload()
    await expect(page).to_have_title("A post · Longhand")


async def test_elapsed_time_counts_up(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_with_clock(context, web.url, writer)
    elapsed = page.locator("#run time[data-since]")
    before = await elapsed.text_content()
    await page.clock.run_for(2_000)
    await expect(elapsed).not_to_have_text(before or "")
    await page.clock.run_for(30_000)
    await writer.write_on(2)
    await check(page, writer)
    assert await elapsed.is_visible()


async def test_remaining_time_is_said_once_it_can_be_known(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    await writer.fail(FIRST)
    await writer.begin(SECOND, earlier=30)
    await writer.begin(THIRD)
    page = await open_with_clock(context, web.url, writer)
    rest = page.locator("#run .runbar__note:has(time[data-until])")
    await expect(rest).to_have_count(0)
    await writer.succeed(SECOND)
    await check(page, writer)
    await expect(rest).to_have_text(re.compile(r"^about (30|[12][05]) s for the rest$"))
    # Less than the silence after which the page connects again, and sets its clock by the server's.
    await page.clock.run_for(36_000)
    await expect(rest).to_be_hidden()
    await writer.succeed(THIRD)
    await check(page, writer)
    await expect(rest).to_have_count(0)


async def test_a_run_in_which_nothing_happens_is_called_so(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    note = page.locator("[data-stalled-after]")
    await expect(note).to_have_attribute("data-stalled-after", "90")
    await expect(note).to_be_hidden()
    await note.evaluate("(note) => { note.dataset.stalledAfter = 1; }")
    await expect(note).to_be_visible()
    await expect(note).to_contain_text("The work is safe")
    await note.evaluate("(note) => { note.dataset.stalledAfter = 90; }")
    await writer.write_on(2)
    await check(page, writer)
    await expect(note).to_be_hidden()


async def test_a_notification_for_who_asked_for_one(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    await context.grant_permissions(["notifications"], origin=proxy.url)
    await context.add_init_script(REMEMBER_NOTIFICATIONS)
    page = await open_with_clock(context, proxy.url, writer)
    button = page.get_by_role("button", name="Tell me when it’s done")
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await show(page, "hidden")
    await page.clock.run_for(16_000)
    assert await page.evaluate("window.told") == []
    await writer.end()
    await page.clock.run_for(16_000)
    await page.wait_for_function("() => window.told.length")
    assert await page.evaluate("window.told") == ["Finished: A post"]
    assert not proxy.streams


async def test_no_notification_for_who_did_not_ask(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    await context.grant_permissions(["notifications"], origin=proxy.url)
    await context.add_init_script(REMEMBER_NOTIFICATIONS)
    page = await open_with_clock(context, proxy.url, writer)
    await show(page, "hidden")
    await writer.end()
    await page.clock.run_for(16_000)
    await expect(page).to_have_title("Finished: A post")
    assert await page.evaluate("window.told") == []


async def test_no_button_where_notifications_are_forbidden(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_post(context, web.url, writer)
    button = page.get_by_role("button", name="Tell me when it’s done")
    await expect(button).to_be_visible()
    await page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    await page.reload()
    await check(page, writer)
    await expect(button).to_be_hidden()


async def test_new_text_below_is_offered_and_nothing_jumps(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_post(context, web.url, writer)
    offer = page.get_by_role("button", name="New text below")
    await check(page, writer)
    await expect(offer).to_be_hidden()
    place = await page.locator("[data-section=alpha]").bounding_box()
    await writer.write_on(40)
    await check(page, writer)
    assert await page.evaluate("scrollY") == 0
    now = await page.locator("[data-section=alpha]").bounding_box()
    assert place is not None and now is not None
    assert now["y"] == place["y"]
    await expect(offer).to_be_visible()
    await offer.click()
    await expect(offer).to_be_hidden()
    await expect(page.locator("[data-section=alpha] .prose > :last-child")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("width", [360, 1200])
async def test_new_text_is_found_above_what_is_still_to_come(
    context: BrowserContext, web: ProductWeb, writer: PostWriter, width: int
) -> None:
    """Sources and steps below it are no news: the offer is there only while the text itself is out of sight."""
    await writer.publish(ROOT_STEP, "sources", SOURCES)
    await writer.begin(SECOND)
    await writer.write(SECOND, CITING)
    await writer.succeed(SECOND)
    page = await open_post(context, web.url, writer)
    await page.set_viewport_size({"width": width, "height": 700})
    offer, newest = (
        page.get_by_role("button", name="New text below"),
        page.locator("#section-alpha .prose > :last-child"),
    )
    await expect(newest).to_be_in_viewport()
    await writer.write_on(60)
    await wait_for_cursor(page, (await writer.fold()).cursor)
    await offer.click()
    await expect(newest).to_be_in_viewport(ratio=1)
    await expect(offer).to_be_hidden()
    await expect(page.locator("#sources")).not_to_be_in_viewport()
    await writer.write_on(40)
    await wait_for_cursor(page, (await writer.fold()).cursor)
    await expect(offer).to_be_visible()
    await newest.scroll_into_view_if_needed()
    await expect(offer).to_be_hidden()


async def test_what_a_reader_selected_and_opened_is_kept(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    await page.evaluate("""() => { const block = document.querySelector('[data-section] .prose > *');
        const text = document.createTreeWalker(block, NodeFilter.SHOW_TEXT).nextNode();
        getSelection().setBaseAndExtent(text, 2, text, 8); }""")
    selected = await page.evaluate("getSelection().toString()")
    await page.locator(".masthead a").first.focus()
    await writer.write(FIRST, "and so it becomes long. " * 30)
    await writer.write_on(9)
    await check(page, writer)
    assert selected
    assert await page.evaluate("getSelection().toString()") == selected
    assert await page.evaluate("document.activeElement.className") == "wordmark"


async def test_what_a_person_types_is_kept(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    """Into the form of a section that failed, while the next one grows and then fails too."""
    await writer.fail(FIRST)
    await writer.begin(SECOND)
    page = await open_post(context, web.url, writer)
    field = page.get_by_label("Guidance")
    await field.fill("half a thought")
    await field.evaluate("(field) => field.setSelectionRange(2, 6)")
    await writer.write_on(7, step=SECOND)
    await writer.fail(SECOND)
    await check(page, writer)
    await expect(field).to_have_count(2)
    assert await field.first.input_value() == "half a thought"
    assert await field.first.evaluate("(f) => [document.activeElement === f, f.selectionStart, f.selectionEnd]") == [
        True, 2, 6,
    ]  # fmt: skip


async def test_a_wish_that_is_being_typed_outlives_a_retry_from_another_tab(
    context: BrowserContext, web: ProductWeb, stores: Stores
) -> None:
    """Of a section that stands, and of the very one that is retried; neither can be sent while the work goes on."""
    writer = await PostWriter.order(stores, "alpha", "beta")
    await writer.write_on(5)
    await writer.succeed(FIRST)
    await writer.begin(SECOND)
    await writer.fail(SECOND)
    await writer.end_incomplete(SECOND)
    page, acting = await open_post(context, web.url, writer), await open_post(context, web.url, writer)
    tools = page.locator("[data-section=alpha] details")
    await tools.locator("summary").click()
    wish, guidance = tools.get_by_role("textbox"), page.locator("[data-section=beta] textarea")
    await guidance.fill("with figures")
    await wish.fill("shorter, and")
    await expect(tools.get_by_role("button")).to_be_enabled()
    await show(page, "hidden")
    await acting.get_by_role("button", name="Retry this section").click()
    await acting.wait_for_url("**/posts/*#*")
    await writer.take()
    await writer.begin(ROOT_STEP, 2)
    await writer.begin(SECOND, 2)
    await writer.write_on(3, step=SECOND, attempt=2)
    await show(page, "visible")
    await check(page, writer)
    await expect(wish).to_have_value("shorter, and")
    await expect(wish).to_be_focused()
    await expect(guidance).to_have_value("with figures")
    await expect(tools).to_have_attribute("open", "")
    await expect(tools.get_by_role("button")).to_be_disabled()
    await expect(tools).to_contain_text("once the writing has ended")
    await writer.succeed(SECOND, 2)
    await writer.succeed(ROOT_STEP, 2)
    await check(page, writer)
    await expect(tools.get_by_role("button")).to_be_enabled()
    await expect(wish).to_have_value("shorter, and")
    await expect(guidance).to_have_value("with figures")


async def test_an_opened_detail_stays_open(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    await writer.publish(FIRST, "notes", {"kept": 1})
    page = await context.new_page()
    await page.goto(f"{web.url}/runs/{writer.run_id}")
    detail = page.locator("details", has_text="notes")
    await detail.locator("summary").click()
    await writer.publish(FIRST, "notes", {"kept": 2})
    await expect(detail.locator("pre")).to_contain_text('"kept": 2')
    await expect(detail).to_have_attribute("open", "")
    await expect(detail.locator("summary")).to_be_focused()


async def test_screen_readers_hear_of_sections_and_not_of_words(
    context: BrowserContext, web: ProductWeb, writer: PostWriter
) -> None:
    page = await open_with_clock(context, web.url, writer)
    await page.evaluate(COUNT_WORDS)
    assert await page.evaluate(FIND_ANNOUNCERS) == []
    await expect(page.locator("[data-announce]")).to_have_attribute("role", "status")
    await writer.write_on(30)
    await check(page, writer)
    await page.clock.run_for(12_000)
    assert await page.evaluate("window.announced") == 0
    await writer.succeed(FIRST)
    await check(page, writer)
    await page.clock.run_for(12_000)
    assert await page.inner_text("[data-announce]") == "1 of 3 sections written"
    assert await page.evaluate("window.announced") == 1


async def test_reduced_motion_is_respected(context: BrowserContext, web: ProductWeb, writer: PostWriter) -> None:
    page = await open_post(context, web.url, writer)
    await check(page, writer)
    assert await page.evaluate(COUNT_ANIMATIONS) > 0
    await page.emulate_media(reduced_motion="reduce")
    assert await page.evaluate(COUNT_ANIMATIONS) == 0
    await writer.write_on(40)
    await check(page, writer)
    assert await page.evaluate(COUNT_ANIMATIONS) == 0
    await page.evaluate("""() => { window.scrolls = []; Element.prototype.scrollIntoView = function (options) {
        window.scrolls.push(options.behavior); }; }""")
    await page.get_by_role("button", name="New text below").click()
    assert await page.evaluate("window.scrolls") == ["auto"]


async def test_a_retry_begun_in_another_tab_is_seen(context: BrowserContext, proxy: Proxy, stores: Stores) -> None:
    """By a tab that saw the end, and by one that was opened after it; neither held a connection meanwhile."""
    writer = await PostWriter.order(stores, "alpha")
    await writer.write_on(3)
    saw_it = await open_with_clock(context, proxy.url, writer)
    await writer.fail(FIRST)
    await writer.end_incomplete(FIRST)
    await check(saw_it, writer)
    came_later = await open_with_clock(context, proxy.url, writer)
    while proxy.streams:
        await asyncio.sleep(0.01)
    acting = await open_post(context, proxy.url, writer)
    await acting.get_by_role("button", name="Retry this section").click()
    await acting.wait_for_url("**/posts/*")
    await writer.take()
    await writer.begin(FIRST, 2)
    await writer.write_on(4, attempt=2)
    for page in (saw_it, came_later):
        await page.clock.run_for(16_000)
        await check(page, writer)


async def test_a_list_of_posts_says_how_they_stand(
    context: BrowserContext, web: ProductWeb, stores: Stores, writer: PostWriter
) -> None:
    """Only while somebody looks, and without another stream."""
    await writer.ship()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(f"{web.url}/sites/{SITE}")
    await page.get_by_label("Topic").fill("half a thought")
    status = page.locator(f"li:has(a[href='{writer.address}']) .status")
    await expect(status).to_have_text("Writing")
    await show(page, "hidden")
    await writer.end()
    await writer.ship()
    await page.clock.run_for(30_000)
    await expect(status).to_have_text("Writing")
    await show(page, "visible")
    await page.clock.run_for(5_000)
    await expect(status).to_have_text("Finished")
    await expect(page.get_by_label("Topic")).to_have_value("half a thought")


async def test_an_ended_page_opens_no_stream(context: BrowserContext, proxy: Proxy, writer: PostWriter) -> None:
    await writer.end()
    page = await open_with_clock(context, proxy.url, writer)
    await page.clock.run_for(60_000)
    assert proxy.opened == 0
    await expect(page).to_have_title("A post · Longhand")
