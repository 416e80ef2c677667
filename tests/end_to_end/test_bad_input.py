"""Bad input: a clear message, and nothing typed is lost."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from tests.end_to_end.visiting import Visitors, Workplace, give_address, step, wait_for_status
from tests.sites.server import CannedResponse, FixtureSite
from tests.support.product import Product

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("products")]

PRIVATE = "inside a private network"
CONTROL = re.compile(r"^(?!Value error).*\bcontrol characters\b")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("", "Type a web address"),
        ("   ", "Type a web address"),
        ("ftp://example.com/", "Only http and https addresses can be read"),
        ("http://192.168.1.10/", PRIVATE),
        ("http://[::1]/", PRIVATE),
        ("http://0x7f.1/", PRIVATE),
        ("intranet.local", PRIVATE),
        ("two words", "no spaces or control characters"),
        ("exam\x07ple.com", CONTROL),
        ("http://me:secret@example.com/", "Leave the user name and password out"),
        ("http://", "not a web address"),
        ("https://example.com/" + "a" * 2000, "at most 2000 characters"),
    ],
)
async def test_an_address_that_is_refused_comes_back_with_the_reason(
    extractive_product: Product, visitors: Visitors, typed: str, message: str | re.Pattern[str]
) -> None:
    page = await (await visitors.come()).new_page()
    await page.goto(extractive_product.url)
    await _drop_checks(page)
    field = page.get_by_label("Company web address")
    await field.fill(typed)
    await page.get_by_role("button", name="Read this site").click()
    await expect(page.locator("#url-error")).to_contain_text(message)
    await expect(field).to_have_value(typed)
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.locator(".card")).to_have_count(0)


async def test_a_host_that_does_not_exist(extractive_product: Product, visitors: Visitors) -> None:
    await _expect_unreadable(
        extractive_product, visitors, "http://nobody.example/", "There is no site at nobody.example"
    )


async def test_an_error_page_is_no_profile(extractive_product: Product, site: FixtureSite, visitors: Visitors) -> None:
    site.fail("/", 404)
    await _expect_unreadable(extractive_product, visitors, site.url, "answers with an error (404: not found)")


async def test_a_server_error_can_be_tried_again_when_the_site_is_well(
    extractive_product: Product, site: FixtureSite, visitors: Visitors
) -> None:
    site.fail("/", 503)
    page = await _expect_unreadable(extractive_product, visitors, site.url, "answers with an error (503: unavailable)")
    site.heal("/")
    await page.get_by_role("button", name="Try again").click()
    await wait_for_status(page, "succeeded", "incomplete")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Alder & Spoke")
    await expect(page.get_by_text("answers with an error (503")).to_have_count(0)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/brochure.pdf", "is not a web page but application/pdf"),
        ("/bookings/", "shows its text only after running JavaScript"),
        ("/inside", PRIVATE),
        ("/around", "redirects more than"),
    ],
)
async def test_an_address_without_a_page_to_read(
    extractive_product: Product, site: FixtureSite, visitors: Visitors, path: str, message: str
) -> None:
    site.answer("/inside", CannedResponse(302, headers={"location": "http://10.0.0.1/"}))
    site.answer("/around", CannedResponse(302, headers={"location": "/around"}))
    await _expect_unreadable(extractive_product, visitors, site.url + path, message)


async def test_a_slow_site_can_be_given_up(extractive_product: Product, site: FixtureSite, visitors: Visitors) -> None:
    site.hold("/")
    page = await (await visitors.come()).new_page()
    await give_address(page, extractive_product.url, site.url)
    await expect(step(page, "onboard-site/read-home", "running")).to_contain_text(f"Opening {site.url}")
    await page.get_by_role("button", name="Stop reading").click()
    await wait_for_status(page, "cancelled")
    await expect(page.get_by_text("You stopped the reading")).to_be_visible()
    site.heal("/")
    await page.get_by_role("button", name="Go on reading").click()
    await wait_for_status(page, "succeeded", "incomplete")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Alder & Spoke")


@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("topic", "", "Topic needs at least 3 characters"),
        ("topic", "ab", "Topic needs at least 3 characters"),
        ("topic", "t" * 201, "Topic can have at most 200 characters"),
        ("topic", "What a bell\x07 costs", "Topic: must not contain control characters"),
        ("audience", "a" * 201, "Audience can have at most 200 characters"),
        ("tone", "dry\x1b[1m", "Tone: must not contain control characters"),
    ],
)
async def test_a_post_that_does_not_fit_comes_back_with_all_that_was_typed(
    extractive_workplace: Workplace, visitors: Visitors, name: str, typed: str, message: str
) -> None:
    page = await (await visitors.come(extractive_workplace.state)).new_page()
    await page.goto(extractive_workplace.site_url)
    await _drop_checks(page)
    form = {"topic": "What a service costs", "audience": "Commuters", "tone": "dry", name: typed}
    for field, value in form.items():
        await page.locator(f"#{field}").fill(value)
    await page.get_by_label("Long").check()
    await page.get_by_label("Show me the outline first").check()
    await page.get_by_role("button", name="Write this post").click()
    await expect(page.locator(f"#{name}-error")).to_contain_text(message)
    for field, value in form.items():
        await expect(page.locator(f"#{field}")).to_have_value(value)
    await expect(page.get_by_label("Long")).to_be_checked()
    await expect(page.get_by_label("Show me the outline first")).to_be_checked()


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/sites/site_0",
        "/sites/..%2F..%2Fetc",
        "/posts/post_0",
        "/posts/post_0.md",
        "/posts/post_0.exe",
        "/runs/run_0",
        "/runs/run_0/trace",
    ],
)
async def test_an_unknown_address_is_a_page_that_says_so(
    extractive_product: Product, visitors: Visitors, path: str
) -> None:
    page = await (await visitors.come()).new_page()
    answer = await page.goto(extractive_product.url + path)
    assert answer is not None
    assert answer.status == 404
    await expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()
    await page.get_by_role("link", name="Go to your sites").click()
    await expect(page.get_by_label("Company web address")).to_be_visible()


async def _drop_checks(page: Page) -> None:
    """From here on the form is one of a browser that checks nothing itself."""
    await page.locator("form").evaluate_all("forms => forms.forEach(form => { form.noValidate = true; })")
    await page.locator("[maxlength]").evaluate_all("fields => fields.forEach(f => f.removeAttribute('maxlength'))")


async def _expect_unreadable(product: Product, visitors: Visitors, address: str, message: str) -> Page:
    """The site's page says why the site could not be read, and nothing of it became a profile."""
    page = await (await visitors.come()).new_page()
    await give_address(page, product.url, address)
    await wait_for_status(page, "failed")
    for _ in range(2):
        await expect(page.get_by_role("alert")).to_contain_text(message)
        await expect(page.locator(".profile__summary")).to_have_count(0)
        await expect(page.get_by_label("Company web address")).to_be_visible()
        await expect(page.get_by_role("button", name="Write this post")).to_have_count(0)
        await page.reload()
    await expect(page.get_by_role("button", name="Try again")).to_be_visible()
    await page.goto(product.url)
    await expect(page.locator(".card")).to_contain_text("Could not be read")
    await page.go_back()
    return page
