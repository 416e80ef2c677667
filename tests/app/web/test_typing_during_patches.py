"""Text typed into a page while patches arrive, in Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from app.accounts.sessions import COOKIE
from app.contract.payloads import Ask
from app.stores.log import Log
from tests.app.conftest import Take
from tests.app.web.clients import Client, add_post, add_site, ask_for_outline, fill, run_of
from tests.app.web.commands.test_drafts import ask_echo, keep
from tests.app.web.logs import OUTLINE
from tests.support.chromium import ARGUMENTS, find_chromium

_RECONNECT = """async cursor => {
    const live = document.querySelector("#live");
    live.dataset.cursor = cursor;
    dispatchEvent(new Event("online"));
}"""


@pytest_asyncio.fixture
async def page(ann: Client, address: str) -> AsyncIterator[Page]:
    """Open the address in Ann's browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        context = await browser.new_context(base_url=address)
        await context.add_cookies([{"name": COOKIE, "value": ann.cookies[COOKIE], "url": address}])
        yield await context.new_page()
        await browser.close()


async def test_a_patch_and_a_reset_leave_the_typed_text(ann: Client, take: Take, page: Page, log: Log) -> None:
    """Also text that was not saved as a draft, and also when the whole page is sent again."""
    post, run, _ = await ask_for_outline(ann, take)
    await page.goto(post)
    await page.route("**/drafts", lambda route: route.abort())
    await page.locator("[name=heading-1]").fill("Typed and not kept")
    await expect(page.locator(".kept")).to_contain_text("could not be kept just now; they are still here")
    end = (await log.fold(run)).cursor
    for cursor in ("1-0", end.replace("-", "-9")):  # before everything, and no entry at all
        await page.evaluate(_RECONNECT, cursor)
        await expect(page.locator("#live")).to_have_attribute("data-cursor", end)
        await expect(page.locator("[name=heading-1]")).to_have_value("Typed and not kept")
        assert "they are still here" in await page.locator(".kept").inner_text(), "the form was made anew"
    await page.unroute("**/drafts")
    await expect(page.locator(".kept")).to_contain_text("Draft kept", timeout=15_000)


async def test_a_form_that_comes_back_has_the_typed_text(ann: Client, take: Take, page: Page) -> None:
    """Another ask of the same run is answered meanwhile: the run continues, and then asks the first one again."""
    run, _ = await ask_echo(ann, take, "a1", "a2")
    await page.goto(f"/runs/{run}")
    form = page.locator("form:has([name=ask][value=a1])")
    await form.locator("textarea").fill("[1, 2")
    await expect(form.locator(".kept")).to_contain_text("Draft kept")
    assert (await ann.post(f"/runs/{run}/answers/go", data={"ask": "a2", "value": "1"})).status_code == 303
    await expect(form).to_have_count(0)
    player = await take(run)
    await player.ask(Ask(ask="a1", name="go", step="echo", proposal={"go": 1}, answer_schema={}))
    await expect(form.locator("textarea")).to_have_value("[1, 2")
    async with page.expect_response("**/drafts"):
        await form.locator("textarea").fill("[1, 2, 3")
    await page.reload()
    await expect(form.locator("textarea")).to_have_value("[1, 2, 3")


async def test_a_form_that_a_patch_brings_has_the_text_typed_elsewhere(ann: Client, take: Take, page: Page) -> None:
    post = await add_post(ann, await add_site(ann), approve_outline="true")
    run = run_of(await ann.get(post))
    await page.goto(post)
    await page.context.set_offline(True)
    await _ask_and_type_elsewhere(ann, take, run)
    await page.context.set_offline(False)
    await expect(page.locator("[name=title]")).to_have_value("From elsewhere")
    await expect(page.locator("form.outline")).to_contain_text("with your changes")
    assert "Post: " in await page.title()


async def _ask_and_type_elsewhere(ann: Client, take: Take, run: str) -> None:
    player = await take(run)
    await player.ask(Ask(ask="a1", name="outline", step="write-post", proposal=OUTLINE, answer_schema={}))
    assert (await keep(ann, run, **fill(title="From elsewhere"))).status_code == 200


async def test_enter_approves_and_does_not_start_over(ann: Client, take: Take, page: Page) -> None:
    post, _, _ = await ask_for_outline(ann, take)
    await page.goto(post)
    await page.locator("[name=heading-1]").fill("By Enter")
    await expect(page.locator(".kept")).to_contain_text("Draft kept")
    await page.locator("[name=leave-out-2]").press("Enter")
    await expect(page.locator("#approved")).to_be_visible()
