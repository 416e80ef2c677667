"""Pages in a browser without JavaScript: all of it is there, and all of it works."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, StorageState, expect

from tests.app.live.writing import Stores
from tests.end_to_end.live.posts import FIRST, SECOND, PostWriter, ProductWeb

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]


async def test_an_ended_post_is_read_and_retried_without_script(
    live_browser: Browser, signed_in: StorageState, web: ProductWeb, stores: Stores
) -> None:
    writer = await PostWriter.order(stores, "alpha", "beta")
    await writer.write_on(10)
    await writer.succeed(FIRST)
    await writer.begin(SECOND)
    await writer.write(SECOND, "never finished")
    await writer.fail(SECOND)
    await writer.end_incomplete(SECOND)
    await writer.ship()
    context = await live_browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = await context.new_page()
    first = await page.goto(web.url + writer.address)
    assert first is not None and first.headers["etag"]
    prose = await page.locator("[data-section=alpha] .prose").inner_text()
    assert " ".join(prose.split()) == " ".join(f"<b>{number}</b> & < plain" for number in range(10))
    await expect(page.locator("[data-section=beta]")).to_contain_text("It broke for good.")
    await expect(page.locator("body")).not_to_contain_text("never finished")
    for shown in (page.locator("#run .status"), page.locator("#run time"), page.locator("[data-step]").first):
        await expect(shown).to_be_visible()
    again = await page.reload()
    assert again is not None and again.headers["etag"] == first.headers["etag"]
    await page.get_by_role("link", name="Activity").click()
    await page.locator(f"#row-{writer.run_id}").get_by_role("link", name="Trace").click()
    await expect(page.locator(f'[data-step="{SECOND}"]')).to_have_attribute("data-step-status", "failed")
    await page.goto(web.url + writer.address)
    await page.locator("[data-section=beta] button").first.click()
    await page.wait_for_url(f"**{writer.address}*")
    await expect(page.locator("#run")).to_have_attribute("data-run-status", "queued")
    await context.close()


async def test_what_is_typed_without_script_is_not_reloaded_away(
    live_browser: Browser, signed_in: StorageState, web: ProductWeb, stores: Stores
) -> None:
    """A page reloads itself only as long as it has nothing to fill in; else it offers a link to do so."""
    writer = await PostWriter.order(stores, "alpha", "beta")
    context = await live_browser.new_context(storage_state=signed_in, java_script_enabled=False)
    page = await context.new_page()
    refresh, reload = page.locator("meta[http-equiv=refresh]"), page.get_by_role("link", name="Reload", exact=True)
    await page.goto(web.url + writer.address)
    await expect(refresh).to_have_count(1)
    await expect(reload).to_have_count(0)
    await writer.fail(FIRST)
    await page.reload()
    await expect(page.get_by_label("Guidance")).to_be_visible()
    await expect(refresh).to_have_count(0)
    await writer.ask_for_outline()
    for address in (writer.address, f"/runs/{writer.run_id}"):
        await page.goto(web.url + address)
        await expect(page.locator("form textarea").first).to_be_visible()
        await expect(refresh).to_have_count(0)
        await reload.click()
        await page.wait_for_url(f"**{address}")
    await context.close()
