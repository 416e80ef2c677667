"""One set of real parts for all tests here: a test that ends a process starts its successor."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, StorageState, async_playwright

from app.accounts.sessions import COOKIE, new_session
from tests.app.live.valkey import Valkey, running_valkey
from tests.app.live.writing import Stores, open_stores
from tests.end_to_end.live.posts import PostWriter, ProductWeb, add_site, running_product_web
from tests.end_to_end.live.proxy import Proxy, running_proxy
from tests.end_to_end.visiting import PATIENCE
from tests.support.chromium import ARGUMENTS, find_chromium

pytest.register_assert_rewrite("tests.end_to_end.live.reading")


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def valkey(folder: Path) -> AsyncIterator[Valkey]:
    async with running_valkey(folder) as server:
        yield server


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stores(valkey: Valkey, folder: Path, session_value: str) -> AsyncIterator[Stores]:
    async with open_stores(valkey.url, folder) as opened:
        await add_site(opened, session_value)
        yield opened


@pytest.fixture(scope="session")
def session_value() -> str:
    """The cookie of the person whose posts these are."""
    return new_session()


@pytest.fixture(scope="session")
def signed_in(session_value: str) -> StorageState:
    """Return the cookies that a browser of that person has stored."""
    cookie = {"name": COOKIE, "value": session_value, "domain": "127.0.0.1", "path": "/"}
    return {"cookies": [cookie], "origins": []}  # type: ignore[list-item]  # the rest of a cookie has defaults


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def web_process(valkey: Valkey, stores: Stores, folder: Path) -> AsyncIterator[ProductWeb]:
    async with running_product_web(valkey.url, folder) as process:
        yield process


@pytest_asyncio.fixture(loop_scope="session")
async def web(web_process: ProductWeb) -> ProductWeb:
    """The product's web process, also after a test that ended it and failed before it started its successor."""
    if not web_process.alive:
        await web_process.start()
    return web_process


@pytest_asyncio.fixture(loop_scope="session")
async def proxy(web: ProductWeb) -> AsyncIterator[Proxy]:
    async with running_proxy(web.port) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def writer(stores: Stores) -> PostWriter:
    """A post that is being written, with a few words."""
    ordered = await PostWriter.order(stores)
    await ordered.write_on(3)
    return ordered


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def live_browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # Playwright switches the back/forward cache off, which here is one of the things to be tested.
        opened = await playwright.chromium.launch(
            executable_path=find_chromium(),
            args=list(ARGUMENTS),
            ignore_default_args=["--disable-back-forward-cache"],
        )
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def context(live_browser: Browser, signed_in: StorageState) -> AsyncIterator[BrowserContext]:
    opened = await live_browser.new_context(storage_state=signed_in)
    opened.set_default_timeout(PATIENCE)
    yield opened
    await opened.close()
