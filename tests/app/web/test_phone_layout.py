"""Layout of pages on a phone, with words that cannot be broken."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Page, async_playwright

from app.http.build import ROOT
from tests.app.conftest import Take
from tests.app.web.clients import SECTIONS, Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import PROFILE, SOURCES, begin_post, finish_post, read_site
from tests.support.chromium import ARGUMENTS, find_chromium

WORD = "unbreakable" * 18
URL = f"https://marloweheat.example/{WORD}"
_STYLE = (ROOT / "static" / "app.css").read_text()
_PROTRUDING = """() => [...document.querySelectorAll('main *:not(svg *)')].filter((element) => {
    const inside = (above) => above && (getComputedStyle(above).overflowX !== 'visible' || inside(above.parentElement));
    const column = element.closest('.desk__main, .desk__margin, main').getBoundingClientRect();
    const box = element.getBoundingClientRect();
    return box.width && !inside(element.parentElement.closest('main *')) && box.right > column.right + 1;
}).map((element) => element.outerHTML.slice(0, 120))"""


@pytest_asyncio.fixture
async def phone() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield await browser.new_page(viewport={"width": 360, "height": 740}, java_script_enabled=True)
        await browser.close()


async def check(page: Page, html: str) -> None:
    """Check that nothing scrolls sideways on a phone, and nothing leaves its column on a desktop."""
    await page.set_content(html.replace("</head>", f"<style>{_STYLE}</style></head>"))
    await page.add_style_tag(content="details::details-content { content-visibility: visible }")
    for width in (360, 1440):
        await page.set_viewport_size({"width": width, "height": 740})
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert await page.evaluate(_PROTRUDING) == []


async def test_a_site_of_long_words(ann: Client, play: Play, phone: Page) -> None:
    site = await add_site(ann, f"marloweheat.example/{WORD}")
    log = read_site(3, finish=False)
    log.publish(
        "profile-site",
        "profile",
        {
            **PROFILE,
            **dict.fromkeys(("name", "tagline", "summary", "audience", "tone"), WORD),
            "offers": [WORD],
            "key_pages": [{"url": URL, "title": WORD}],
        },
    )
    log.begin("suggest-topics")
    log.publish("suggest-topics", "topics", [{"title": WORD, "why": WORD, "url": URL}, {"title": "Tyres"}])
    log.begin("read-pages/read-page:x", f"/{WORD}")
    log.publish("read-pages/read-page:x", "page", {"url": URL, "title": WORD, "summary": ""})
    log.succeed("read-pages/read-page:x")
    log.fail("read-pages/read-page:p2", WORD)
    log.say("read-pages", WORD)
    await play(run_of(await ann.get(site)), log)
    await add_post(ann, site, topic=WORD[:200])
    for address in (site, "/", "/runs", f"{site}?topic={WORD[:200]}"):
        await check(phone, (await ann.get(address)).text)
    await check(phone, (await ann.post(f"{site}/posts", data={"topic": WORD, "tone": WORD})).text)
    await check(phone, (await ann.post("/sites", data={"url": f"http://{WORD}"})).text)


async def test_a_post_of_long_words(ann: Client, play: Play, phone: Page) -> None:
    post = await add_post(ann, await add_site(ann), topic=WORD[:200], audience=WORD[:200], tone=WORD[:100])
    run = run_of(await ann.get(post))
    log = begin_post()
    sections = [{**section, "heading": WORD} for section in SECTIONS]
    log.publish("", "outline", {"title": WORD, "summary": WORD, "sections": sections})
    log.publish("", "sources", [{**SOURCES[0], "url": URL, "title": WORD}])
    text = f"{WORD} `{WORD}`\n\n# {WORD}\n\n- {WORD}\n\n| a | b |\n|-|-|\n| {WORD} | {WORD} |\n\n```\n{WORD}\n```\n"
    log.begin("write-section:price", WORD)
    log.write("write-section:price", text)
    checks = [{"sentence": WORD, "reason": WORD}]
    log.publish(
        "write-section:price",
        "section",
        {"id": "price", "heading": WORD, "markdown": text, "sources": ["s1"], "checks": checks},
    )
    log.succeed("write-section:price")
    log.begin("write-section:parts", WORD)
    log.fail("write-section:parts", WORD)
    log.begin("write-section:wait", WORD)
    log.retry("write-section:wait", WORD)
    log.fail("", WORD)
    await play(run, log)
    for address in (post, f"/runs/{run}", f"/runs/{run}/trace", "/runs"):
        await check(phone, (await ann.get(address)).text)


async def test_an_outline_of_long_words(ann: Client, take: Take, phone: Page) -> None:
    post = await add_post(ann, await add_site(ann), approve_outline="true")
    run = run_of(await ann.get(post))
    player = await take(run)
    await player.say(*[event.model_copy(update={"id": ""}) for event in begin_post().events[1:-1]])
    waiting = begin_post(approve=True).events[-1]
    ask = waiting.data.asks[0]  # type: ignore[union-attr]
    sections = [{**section, "heading": WORD[:200], "points": [WORD]} for section in SECTIONS]
    proposal = {"title": WORD[:200], "summary": WORD, "sections": sections}
    await player.ask(ask.model_copy(update={"proposal": proposal}))
    for address in (post, f"/runs/{run}"):
        await check(phone, (await ann.get(address)).text)


async def test_a_finished_post_of_long_words(ann: Client, play: Play, phone: Page) -> None:
    post = await add_post(ann, await add_site(ann), topic=WORD[:200])
    await play(run_of(await ann.get(post)), finish_post(("wait",)))
    await check(phone, (await ann.get(post)).text)
    made = await ann.post("/tokens", data={"name": WORD[:80]})
    await check(phone, made.text)
