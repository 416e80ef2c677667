"""Proxies cut connections on which nothing is said for a while, most of them after a minute, some after 20 s."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from app.live.hub import PING_SECONDS
from tests.app.live.processes import WebProcess, running_web
from tests.app.live.valkey import Valkey
from tests.app.live.writing import Stores, Writer
from tests.end_to_end.live.proxy import running_proxy
from tests.support.product import ROOT

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("live pages")]

LIMIT = 20.0
PACE = 5.0
"""How many times faster than in truth the server pings and the proxy loses patience."""

STEP = "write-post/section:a"
COUNT_PINGS = "() => { window.pings = 0; addEventListener('ping', () => { window.pings += 1; }, true); }"
READ_TEXTS = """() => Object.fromEntries([...document.querySelectorAll('[data-step]')].map(
    (element) => [element.dataset.step, element.querySelector('p').textContent]))"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plain_web(valkey: Valkey, stores: Stores) -> AsyncIterator[WebProcess]:
    async with running_web(valkey.url, str(stores.database.engine.url), PING_SECONDS / PACE) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def writer(stores: Stores) -> Writer:
    submitted = await Writer.submit(stores)
    await submitted.begin(STEP)
    await submitted.write(STEP, "<b>some</b> & ")
    return submitted


async def check(page: Page, writer: Writer) -> None:
    cursor = (await writer.fold()).cursor
    await page.wait_for_function("(cursor) => document.querySelector('#live').dataset.cursor === cursor", arg=cursor)
    assert await page.evaluate(READ_TEXTS) == await writer.texts()


async def test_pings_keep_a_silent_connection(context: BrowserContext, plain_web: WebProcess, writer: Writer) -> None:
    async with running_proxy(plain_web.port, silence=LIMIT / PACE) as proxy:
        page = await context.new_page()
        await page.goto(f"{proxy.url}/runs/{writer.run_id}")
        await page.evaluate(COUNT_PINGS)
        await page.wait_for_function("window.pings >= 2")
        await writer.write(STEP, "more")
        await check(page, writer)
        assert (proxy.opened, proxy.cuts) == (1, 0)


async def test_a_proxy_that_pings_do_not_appease(
    context: BrowserContext, plain_web: WebProcess, writer: Writer
) -> None:
    async with running_proxy(plain_web.port, silence=PING_SECONDS / PACE / 10) as proxy:
        page = await context.new_page()
        await page.goto(f"{proxy.url}/runs/{writer.run_id}")
        while proxy.cuts < 2:
            await asyncio.sleep(0.01)
            await writer.write(STEP, "&")
            await check(page, writer)
            while proxy.streams:
                await asyncio.sleep(0.01)
        await writer.write(STEP, "the end")
        await check(page, writer)


async def test_the_real_ping_comes_before_the_limit_and_twice_before_a_page_gives_up() -> None:
    script = (ROOT / "static/live.js").read_text()
    silence = re.search(r"SILENCE = ([\d_]+)", script)
    assert silence is not None
    assert PING_SECONDS * 4 / 3 <= LIMIT
    assert PING_SECONDS * 2 < int(silence[1]) / 1000
