"""People with browsers, and what they do in every journey: give an address, start a post, wait, read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.product import Product

PATIENCE = 45_000
"""Milliseconds that a page may take for what a run has to do. A machine that runs all tests at once is slow."""

ENDED = ("succeeded", "incomplete", "failed", "cancelled")

_READ_SECTIONS = """sections => sections.map(section => {
    const prose = section.querySelector('.prose').cloneNode(true);
    prose.querySelectorAll('sup').forEach(citation => citation.remove());
    return prose.textContent;
}).join('')"""


class Visitors:
    """Opens browsers (contexts), and closes all of them at the end."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def come(self, state: Any = None, **options: Any) -> BrowserContext:
        """A new browser: a stranger's, or with the cookies that `state` has."""
        context = await self._browser.new_context(storage_state=state, **options)
        context.set_default_timeout(PATIENCE)
        self._contexts.append(context)
        return context

    async def photograph(self, folder: Path, name: str) -> None:
        folder.mkdir(exist_ok=True)
        pages = [page for context in self._contexts for page in context.pages]
        for number, page in enumerate(pages, start=1):
            await page.screenshot(path=folder / f"{name}-{number}.png", full_page=True)

    async def leave(self) -> None:
        for context in self._contexts:
            await context.close()


@dataclass(frozen=True)
class Workplace:
    """A site that was read, and the cookies of who had it read."""

    product: Product
    site_url: str
    state: Any


async def read_site(browser: Browser, product: Product, address: str) -> Workplace:
    """Have a site read to its end."""
    context = await browser.new_context()
    context.set_default_timeout(PATIENCE)
    page = await context.new_page()
    await give_address(page, product.url, address)
    await wait_for_status(page, "succeeded", "incomplete")
    workplace = Workplace(product, page.url, await context.storage_state())
    await context.close()
    return workplace


async def give_address(page: Page, product_url: str, address: str) -> None:
    """From the home page to the page of a site that is being read."""
    await page.goto(product_url)
    await page.get_by_label("Company web address").fill(address)
    await page.get_by_role("button", name="Read this site").click()
    await page.wait_for_url("**/sites/*")


async def order_post(
    page: Page, site_url: str, topic: str = "Keeping a bike alive in winter", *, approve: bool = False
) -> None:
    """From a site's page to the page of a new post of three sections."""
    await page.goto(site_url)
    await page.get_by_label("Topic", exact=True).fill(topic)
    await page.get_by_label("Short").check()
    if approve:
        await page.get_by_label("Show me the outline first").check()
    await page.get_by_role("button", name="Write this post").click()
    await page.wait_for_url("**/posts/*")


async def wait_for_status(page: Page, *statuses: str) -> None:
    """Wait until the run of this page is in one of the states."""
    await page.wait_for_selector(", ".join(f'[data-run-status="{status}"]' for status in statuses), state="attached")


async def run_id(page: Page) -> str:
    found = await page.locator("[data-run]").get_attribute("data-run")
    assert found
    return found


def step(page: Page, path: str, status: str = "") -> Locator:
    """The step with this path; a path that ends in `:` means all keys."""
    match = f'[data-step^="{path}"]' if path.endswith(":") else f'[data-step="{path}"]'
    return page.locator(f'{match}[data-step-status="{status}"]' if status else match)


async def expect_step(page: Page, path: str, status: str) -> None:
    await expect(step(page, path, status)).to_have_count(1)


def sections(page: Page) -> Locator:
    return page.locator("[data-section]")


async def read_text(page: Page) -> str:
    """The text of all sections on the page, without citations and white space."""
    text = await page.locator("[data-section]:has(.prose)").evaluate_all(_READ_SECTIONS)
    return squeeze(text)


def squeeze(text: str) -> str:
    """Text as it can be compared: without citations and white space."""
    return re.sub(r"\[s?\d+(?:\s*,\s*s?\d+)*\]|\s+", "", text)


async def read_output(context: BrowserContext, product_url: str, run: str) -> str:
    """The run's text from the API, which answers in full when the run has ended."""
    answer = await context.request.get(f"{product_url}/api/runs/{run}/output", timeout=PATIENCE)
    assert answer.status == 200, await answer.text()
    return squeeze(await answer.text())
