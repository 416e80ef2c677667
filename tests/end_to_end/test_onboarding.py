"""A company's address becomes a profile, its pages one by one, and topics to write about."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.end_to_end.visiting import Visitors, expect_step, give_address, step, wait_for_status
from tests.sites.server import FixtureSite
from tests.support.product import Product

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

PAGES = "onboard-site/read-pages/read-page:"

FIXTURE_PAGES = (
    "/about.html",
    "/services.html",
    "/guides/choosing-a-cargo-bike.html",
    "/guides/tubeless-tyres.html",
    "/guides/winter-commuting.html",
)


async def test_a_site_is_read_before_the_reader_s_eyes(
    extractive_product: Product, site: FixtureSite, visitors: Visitors
) -> None:
    page = await (await visitors.come()).new_page()
    site.hold("/guides/winter-commuting.html")
    await give_address(page, extractive_product.url, site.url)

    # The profile and the first pages are there while the reading goes on, also after a refresh.
    for refresh in (False, True):
        if refresh:
            await page.reload()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Alder & Spoke")
        await expect(page.locator(".profile__summary")).to_contain_text("bicycle workshop")
        held = step(page, PAGES).filter(has_text="/guides/winter-commuting.html")
        await expect(held).to_contain_text("Reading now")
        await expect(step(page, PAGES, "succeeded").filter(has_text="/pricing.html")).to_have_count(1)
        await expect(page.locator('[data-run-status="running"] progress')).to_be_visible()
        await expect(page.locator("[data-summary]")).to_contain_text("pages read")
    await expect_step(page, "onboard-site/profile-site", "succeeded")

    site.heal("/guides/winter-commuting.html")
    await wait_for_status(page, "succeeded", "incomplete")
    await expect(held).to_have_attribute("data-step-status", "succeeded")

    # Pages that could not be read are rows with their reasons, and end nothing.
    failed = step(page, PAGES, "failed")
    await expect(failed.filter(has_text="/workshop-diary.html")).to_contain_text("answers with an error (500")
    await expect(failed.filter(has_text="/bookings/")).to_contain_text("only after running JavaScript")
    assert site.requests["/private/rota.html"] == 0

    # What was read is there once, live and after a refresh, and a topic leads to the form.
    rows = await step(page, PAGES).all_inner_texts()
    await page.reload()
    assert await step(page, PAGES).all_inner_texts() == rows
    assert len(rows) == len(set(rows))
    topic = page.locator(".topic__title").first
    title = await topic.inner_text()
    await topic.click()
    await expect(page.get_by_label("Topic", exact=True)).to_have_value(title)
    await expect(page.get_by_label("Topic", exact=True)).to_be_focused()
    await expect(page.locator('.topic[aria-current="true"]')).to_contain_text(title)


async def test_a_post_can_be_started_while_the_site_is_still_being_read(
    extractive_product: Product, site: FixtureSite, visitors: Visitors
) -> None:
    page = await (await visitors.come()).new_page()
    site.hold("/guides/tubeless-tyres.html")
    await give_address(page, extractive_product.url, site.url)
    await expect(step(page, PAGES, "succeeded").filter(has_text="/pricing.html")).to_have_count(1)
    await expect(page.get_by_text("Posts are assembled from the site’s own sentences").first).to_be_visible()

    await page.get_by_label("Topic", exact=True).fill("What a service costs")
    await page.get_by_label("Short").check()
    await page.get_by_role("button", name="Write this post").click()
    await page.wait_for_url("**/posts/*")
    await wait_for_status(page, "succeeded")

    await page.get_by_label("You are here").get_by_role("link", name="Alder & Spoke").click()
    await expect(page.locator("[data-run-status]")).to_have_attribute("data-run-status", "running")
    await expect(page.get_by_role("link", name="What a service costs")).to_be_visible()
    site.heal("/guides/tubeless-tyres.html")
    await wait_for_status(page, "succeeded", "incomplete")


async def test_a_post_that_was_started_too_early_waits_for_more_pages(
    extractive_product: Product, site: FixtureSite, visitors: Visitors
) -> None:
    page = await (await visitors.come()).new_page()
    for path in FIXTURE_PAGES:
        site.hold(path)
    await give_address(page, extractive_product.url, site.url)
    await expect(page.locator(".profile__summary")).to_contain_text("bicycle workshop")

    await page.get_by_label("Topic", exact=True).fill("Choosing a cargo bike for two children")
    await page.get_by_role("button", name="Write this post").click()
    await page.wait_for_url("**/posts/*")
    await expect(page.get_by_text("The site is still being read")).to_be_visible()
    await expect_step(page, "write-post/research", "running")

    for path in FIXTURE_PAGES:
        site.heal(path)
    await wait_for_status(page, "succeeded")
    await expect(page.locator(".sources__item").first).to_be_visible()
    await expect(page.get_by_text("Assembled from the site’s own sentences")).to_be_visible()
