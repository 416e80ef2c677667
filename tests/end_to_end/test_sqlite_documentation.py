"""A real site that nobody here wrote: the documentation of SQLite is read, and a post assembled from it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.async_api import expect

from tests.end_to_end.conftest import SQLITE_DOCUMENTATION
from tests.end_to_end.visiting import Visitors, order_post, read_text, sections, step, wait_for_status
from tests.sites.server import DirectorySite
from tests.support.product import Product

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

PAGES = "onboard-site/read-pages/read-page:"


@pytest.mark.timeout(300)
async def test_the_documentation_of_sqlite(
    extractive_product: Product,
    sqlite_site: DirectorySite,
    visitors: Visitors,
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    index = SQLITE_DOCUMENTATION / "index.html"
    assert index.is_file(), f"{index} is missing: install the Debian package sqlite3-doc, or run sh deploy/browser.sh"
    context = await visitors.come()
    context.set_default_timeout(200_000)
    page = await context.new_page()
    await page.goto(extractive_product.url)
    await page.get_by_label("Company web address").fill(f"{sqlite_site.url}/index.html")
    submitted = time.monotonic()
    await page.keyboard.press("Enter")
    await page.wait_for_selector("[data-step]")
    record_testsuite_property("seconds to the first event", round(time.monotonic() - submitted, 2))
    await page.wait_for_selector(".profile__summary")
    record_testsuite_property("seconds to the profile", round(time.monotonic() - submitted, 2))
    await expect(page.get_by_role("heading", level=1)).to_contain_text("SQLite")

    await wait_for_status(page, "succeeded", "incomplete")
    record_testsuite_property("seconds to the end", round(time.monotonic() - submitted, 2))
    assert 50 <= await step(page, PAGES, "succeeded").count() < 60
    site_url = page.url

    await order_post(page, site_url, "Write-ahead logging")
    await wait_for_status(page, "succeeded")
    assert await sections(page).count() >= 3
    for number in range(await sections(page).count()):
        assert await sections(page).nth(number).locator(".prose .cite a").count() > 0
    sources = page.locator(".sources__item a")
    assert await sources.count() > 1
    for source in await sources.all():
        await expect(source).to_have_attribute("href", re.compile(re.escape(sqlite_site.url)))
    assert "write-ahead" in (await read_text(page)).lower()
    await expect(page.get_by_text("Assembled from the site’s own sentences").first).to_be_visible()
    exported = await context.request.get(f"{page.url}.md")
    assert exported.status == 200
    assert "## Sources" in await exported.text()
