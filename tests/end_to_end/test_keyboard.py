"""The main journey with the keyboard alone."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.end_to_end.visiting import Visitors, sections, wait_for_status
from tests.sites.server import FixtureSite
from tests.support.product import Product

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

MOST_TABS = 60


async def test_from_the_address_to_the_post(extractive_product: Product, site: FixtureSite, visitors: Visitors) -> None:
    page = await (await visitors.come()).new_page()
    await page.goto(extractive_product.url)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await _tab_to(page, "#url")
    await page.keyboard.type(site.url)
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/sites/*")
    await wait_for_status(page, "succeeded", "incomplete")

    await _tab_to(page, "#topic")
    await page.keyboard.type("Keeping a bike alive in winter")
    await _tab_to(page, "[name=length]")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_label("Short")).to_be_checked()
    await _tab_to(page, "[name=approve_outline]")
    await page.keyboard.press("Space")
    await _tab_to(page, "form.write button")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/posts/*")

    await wait_for_status(page, "waiting")
    await _tab_to(page, "form.outline button")
    await page.keyboard.press("Enter")
    await wait_for_status(page, "succeeded")
    await expect(sections(page)).to_have_count(3)
    await _tab_to(page, ".cite a")
    await page.keyboard.press("Enter")
    await expect(page.locator("li:target")).to_have_class("sources__item")
    await _tab_to(page, ".exports a")


async def _tab_to(page: Page, selector: str) -> None:
    """Press Tab until what fits the selector has the focus; where the focus is has to be seen."""
    for _ in range(MOST_TABS):
        await page.keyboard.press("Tab")
        focused = page.locator("*:focus")
        if await focused.count():
            seen = await focused.evaluate("(e, s) => [e.matches(s), e.matches(':focus-visible')]", selector)
            assert seen[1]
            if seen[0]:
                return
    raise AssertionError(f"{MOST_TABS} tabs did not lead to {selector}")
