"""The caret of a section that is being written: one, and where the next word will stand."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser

from app.markdown import read, render
from tests.support.product import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]

WRITTEN = {
    "A paragraph.\n\nAnother with **bold words** in it": "Another with bold words in it",
    "Long enough to be cut in runs. " * 12 + "Its end": "Its end",
    "Text\n\n### A heading": "A heading",
    "Text that stands while the next block is held back\n\n[a link that": "back",
    "- one\n- two": "two",
    "- one\n- two\n- [a link that": "",
    "- one\n  - inner\n- two\n  - deeper\n    - deepest": "deepest",
    "- one\n\n  more of it\n\n- two\n\n  more of that": "more of that",
    "- one\n- # A heading": "A heading",
    "> A quotation\n>\n> in two paragraphs": "in two paragraphs",
    "> A quotation\n>\n> - with a\n> - list": "list",
    "Text\n\n> [a link that": "",
    "| a | b |\n|---|---|\n| x": "x",
    "| a | b |\n|---|---|\n| x | y |\n| z ": "z",
    "| a | b |\n|---|---|\n| x | y |\n| z | last": "last",
    "| a | b |\n|---|---|\n| x | y |\n| z | |\n\nText after it": "Text after it",
    "- one\n\n  | a | b |\n  |---|---|\n  | x | y |\n  | z | last": "last",
    "```\nfirst\nsecond": "second",
    "```\n" + "a line\n" * 20 + "last": "last",
    "- one\n- two\n\nText after **them** and *this*": "Text after them and this",
}

FIND_CARETS = """() => [...document.querySelectorAll('section')].map((section) => [...section.querySelectorAll('*')]
    .filter((element) => getComputedStyle(element, '::after').content !== 'none' && element.checkVisibility())
    .map((element) => element.textContent.trim()))"""


def draw(text: str) -> str:
    html = render(read(text, {}, complete=False), "s_b")
    return f'<section class="section" data-status="running"><div class="prose" id="s_b">{html}</div></section>'


async def test_there_is_one_at_the_end_of_whatever_is_written(live_browser: Browser) -> None:
    page = await live_browser.new_page()
    await page.set_content(f"<!doctype html><body>{''.join(map(draw, WRITTEN))}")
    await page.add_style_tag(path=ROOT / "static/app.css")
    for (text, end), carets in zip(WRITTEN.items(), await page.evaluate(FIND_CARETS), strict=True):
        assert len(carets) == 1, text
        assert carets[0].endswith(end) if end else not carets[0], text
    await page.close()
