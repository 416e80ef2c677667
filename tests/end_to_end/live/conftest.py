"""One set of real parts for all tests of a module: a test that ends a process starts its successor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.app.live.processes import WebProcess, running_web
from tests.app.live.valkey import Valkey, running_valkey
from tests.app.live.writing import Stores, open_stores
from tests.end_to_end.live.proxy import Proxy, running_proxy
from tests.support.chromium import find_chromium


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def valkey(folder: Path) -> AsyncIterator[Valkey]:
    async with running_valkey(folder) as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stores(valkey: Valkey, folder: Path) -> AsyncIterator[Stores]:
    async with open_stores(valkey.url, folder) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web(valkey: Valkey, stores: Stores) -> AsyncIterator[WebProcess]:
    async with running_web(valkey.url, str(stores.database.engine.url)) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="module")
async def proxy(web: WebProcess) -> AsyncIterator[Proxy]:
    async with running_proxy(web.port) as opened:
        yield opened


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser() -> AsyncIterator[Browser]:
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with async_playwright() as playwright:
        # Playwright switches the back/forward cache off, which here is one of the things to be tested.
        opened = await playwright.chromium.launch(
            executable_path=find_chromium(), args=arguments, ignore_default_args=["--disable-back-forward-cache"]
        )
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="module")
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    opened = await browser.new_context()
    yield opened
    await opened.close()
