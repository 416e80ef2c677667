"""Direction and language of texts in other scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from lxml import html as lxml_html
from playwright.async_api import Page, async_playwright

from app.http.build import ROOT
from app.stores.database import Database
from app.stores.tables import SiteRow
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import HEADINGS, OUTLINE, PROFILE, TOPICS, begin_post, finish_post, read_site, write_section
from tests.support.chromium import ARGUMENTS, find_chromium

ARABIC = "كيف تحافظ على دراجتك في الشتاء"
TEXT = f"{ARABIC}\n\n- {ARABIC}\n- {ARABIC}\n\n> {ARABIC}\n\nEnglish.\n\n```\nlonghand up\n```\n\n{ARABIC}"
_STYLE = (ROOT / "static" / "app.css").read_text()
_AT_ITS_START = """(selector) => [...document.querySelectorAll(selector)].map((element) => {
    const words = document.createRange();
    words.selectNodeContents(element);
    const [text, box] = [words.getBoundingClientRect(), element.getBoundingClientRect()];
    return box.right - text.right < text.left - box.left ? 'right' : 'left';
})"""


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield await browser.new_page(viewport={"width": 1280, "height": 900})
        await browser.close()


async def show(desk: Page, html: str) -> None:
    await desk.set_content(html.replace("</head>", f"<style>{_STYLE}</style></head>"))


async def test_a_post_in_arabic_begins_at_the_right(ann: Client, play: Play, desk: Page) -> None:
    post = await add_post(ann, await add_site(ann), topic=ARABIC)
    log = begin_post()
    log.publish("", "outline", {**OUTLINE, "title": ARABIC, "summary": ARABIC})
    write_section(log, "price", TEXT)
    write_section(log, "parts", "English.\n\n- One\n- Two")
    await play(run_of(await ann.get(post)), log)
    await show(desk, (await ann.get(post)).text)
    price, parts = "[data-section=price] .prose", "[data-section=parts] .prose"
    assert (
        await desk.evaluate(_AT_ITS_START, f"#document :is(h1, .sheet__summary), {price} blockquote p:not([hidden])")
        == ["right"] * 3
    )
    assert await desk.evaluate(_AT_ITS_START, f"{price} > p:not([hidden])") == ["right", "left", "right"]
    directions = "(selector) => [...document.querySelectorAll(selector)].map((one) => getComputedStyle(one).direction)"
    assert set(await desk.evaluate(directions, f"{price} li")) == {"rtl"}
    assert await desk.evaluate(directions, f"{price} pre, {parts} li:not([hidden])") == ["ltr"] * 3
    assert await desk.evaluate(_AT_ITS_START, ".section__heading") == ["left"] * len(HEADINGS)


async def test_a_site_in_arabic_begins_at_the_right(ann: Client, play: Play, desk: Page) -> None:
    site = await add_site(ann)
    log = read_site(2, finish=False)
    log.publish("profile-site", "profile", {**PROFILE, **dict.fromkeys(("tagline", "summary", "audience"), ARABIC)})
    log.begin("suggest-topics")
    log.publish("suggest-topics", "topics", [{"title": ARABIC, "why": ARABIC}, *TOPICS])
    await play(run_of(await ann.get(site)), log)
    await show(desk, (await ann.get(f"{site}?topic={ARABIC}")).text)
    written = ".head__lead, .profile__summary, .facts div:nth-child(2) dd, .topics li:first-child .topic__title"
    assert await desk.evaluate(_AT_ITS_START, written) == ["right"] * 4
    assert await desk.evaluate(_AT_ITS_START, "h1, .topics li:last-child .topic__title") == ["left"] * 2
    assert await desk.evaluate("getComputedStyle(document.querySelector('#topic')).unicodeBidi") == "plaintext"


@pytest.mark.parametrize(("said", "lang"), [("ar", "ar"), ("de-AT", "de-AT"), ("German", None), ('"><b>', None)])
async def test_a_posts_language_is_that_of_its_site(
    ann: Client, play: Play, database: Database, said: str, lang: str | None
) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    await play(run_of(await ann.get(post)), finish_post())
    before = await ann.get(post)
    async with database.writing() as session:
        row = await session.get(SiteRow, site.rpartition("/")[2])
        assert row is not None
        row.profile = {**PROFILE, "language": said}
        session.add(row)
    page = await ann.get(post, headers={"if-none-match": before.headers["etag"]})
    assert page.status_code == 200
    sheet = lxml_html.fromstring(page.text).get_element_by_id("document")
    assert sheet.get("lang") == lang
    assert lxml_html.fromstring((await ann.get(f"{post}.html")).text).get("lang") == lang
