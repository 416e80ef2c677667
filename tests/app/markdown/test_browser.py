"""htmx and a browser bring a page to what it would be if it were loaded anew, and leave what a reader selected."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import pytest_asyncio
from playwright.async_api import Page, async_playwright

from app.markdown import Patch
from tests.app.markdown import samples
from tests.app.markdown.subject import ID, change, follow, page
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.product import ROOT

TEXTS = [
    "Title\nof two lines\n===\n\n| a | b |\n|---|---|\n| x | **y** |\n| z\n\n```py\n"
    + "x = '<b>'\n\n" * 12
    + "```\n- a\n  1. b",
    "A long one, with *words*. " * 30 + "\n\n> quoted\n>\n> - one\n> - two\n\n---\n\n    code\n",
]
SWAP = "(text) => htmx.swap({text, target: document.body, sourceElement: document.body, swap: 'none'})"
SAME = """([id, html]) => {
    const [now, loaded] = [document.getElementById(id).cloneNode(true), document.createElement('div')];
    loaded.innerHTML = html;
    for (const one of now.querySelectorAll('[class=""]')) one.removeAttribute('class');
    now.removeAttribute('class');
    return [now.outerHTML, loaded.innerHTML];
}"""
SELECT = """(selector) => {
    const text = document.querySelector(selector).firstChild;
    getSelection().setBaseAndExtent(text, 2, text, 12);
    return String(getSelection());
}"""


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield await browser.new_page()
        await browser.close()


async def show(desk: Page, html: str) -> None:
    await desk.set_content(f"<!doctype html><body>{html}</body>")
    await desk.add_script_tag(path=ROOT / "static/vendor/htmx.min.js")


async def test_patches_bring_a_page_to_what_is_loaded(desk: Page) -> None:
    for text in [*TEXTS, *samples.texts(2, 51), *samples.like_a_models(2, 52)]:
        ends = list(samples.cuts(text, Random(text), 90))
        await show(desk, page(""))
        for message in follow(text[:end] for end in ends):
            await desk.evaluate(SWAP, message)
        now, loaded = await desk.evaluate(SAME, [ID, page(text)])
        assert now == loaded, text
        await show(desk, page(text[: ends[0]]))
        await desk.evaluate(SWAP, change(text[: ends[0]], text))
        now, loaded = await desk.evaluate(SAME, [ID, page(text)])
        assert now == loaded, text


async def test_an_element_that_goes_is_taken_away(desk: Page) -> None:
    await show(desk, f'<div id="{ID}"><p id="{ID}_b0">a</p></div>')
    await desk.evaluate(SWAP, Patch(f"{ID}_b0", "", "delete").encode())
    assert await desk.inner_html(f"#{ID}") == ""


async def test_what_is_selected_stays_selected(desk: Page) -> None:
    """Also while its own paragraph, item or line of code goes on."""
    for text, selector in (
        ("A paragraph that goes on. " * 12, "p"),
        ("- An item that goes on, and on. " * 12, "li"),
        ("```\nsome code that goes on\n" + "more of it\n" * 20, "code span"),
    ):
        ends = list(range(20, len(text), 35))
        messages = follow(text[:end] for end in ends)
        await show(desk, page(""))
        await desk.evaluate(SWAP, next(messages))
        selected = await desk.evaluate(SELECT, f"#{ID} {selector}")
        for message in messages:
            await desk.evaluate(SWAP, message)
        assert await desk.evaluate("String(getSelection())") == selected
        assert len(selected) == 10
