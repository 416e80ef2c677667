"""Two products that all tests here share, one without and one with a model, and a browser context for each visitor."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.end_to_end.visiting import PATIENCE, Visitors, Workplace, read_site
from tests.model_server import ModelServer
from tests.sites.server import DirectorySite, FixtureSite
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.product import ROOT, Product, running_product

RESULTS = ROOT / "test-results"
SQLITE_DOCUMENTATION = Path("/usr/share/doc/sqlite3")
SITES = 32
"""How many sites of its own a test process has; the products are told their addresses when they start."""

expect.set_options(timeout=PATIENCE)

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, for the fixtures that then keep what there was to be seen."""
    report = yield
    if report.when == "call":  # type: ignore[attr-defined]  # pytest's wrappers are not typed
        item.stash[_FAILED] = report.failed  # type: ignore[attr-defined]
    return report


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sites() -> AsyncIterator[list[FixtureSite]]:
    """Sites that no test has touched yet."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(FixtureSite()) for _ in range(SITES)]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def sqlite_site() -> AsyncIterator[DirectorySite]:
    """The documentation of SQLite, as Debian packages it: a site that nobody here wrote."""
    async with DirectorySite(SQLITE_DOCUMENTATION) as site:
        yield site


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def model_server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


def _folder_with_data(folder: Path, migrated_file: Path) -> Path:
    """The folder, with a database in which nothing is left to migrate: that saves seconds."""
    data = folder / "data"
    data.mkdir()
    shutil.copy(migrated_file, data)
    return folder


@pytest.fixture(scope="session")
def extractive_product(
    sites: list[FixtureSite],
    sqlite_site: DirectorySite,
    migrated_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Product]:
    """The product as it is after `make run`, without any model."""
    allowed = ",".join(site.host_port for site in (*sites, sqlite_site))
    folder = _folder_with_data(tmp_path_factory.mktemp("extractive"), migrated_file)
    with running_product(folder, crawl_allow=allowed, crawl_max_pages=60, lease_seconds=2) as product:
        yield product


@pytest.fixture(scope="session")
def model_product(
    sites: list[FixtureSite],
    model_server: ModelServer,
    migrated_file: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Product]:
    """The product with a model, played by the model server."""
    allowed = ",".join(site.host_port for site in sites)
    model = {"model": "openai:test-model", "model_base_url": model_server.base_url, "model_api_key": "of no account"}
    folder = _folder_with_data(tmp_path_factory.mktemp("model"), migrated_file)
    with running_product(folder, crawl_allow=allowed, lease_seconds=2, **model) as product:
        yield product


@pytest.fixture
def site(sites: list[FixtureSite]) -> FixtureSite:
    """A site for this test alone."""
    assert sites, "there are more tests with a site of their own than SITES"
    return sites.pop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield opened
        await opened.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visitors(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Visitors]:
    """Lets people come, each with a browser of their own. Of a failed test their pages are kept as pictures."""
    opened = Visitors(browser)
    yield opened
    if request.node.stash.get(_FAILED, True):
        await opened.photograph(RESULTS, re.sub(r"\W+", "-", request.node.name))
    await opened.leave()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def extractive_workplace(extractive_product: Product, sites: list[FixtureSite], browser: Browser) -> Workplace:
    """A workspace in which a site was read, for tests that write from it without a model."""
    return await read_site(browser, extractive_product, sites.pop().url)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def model_workplace(model_product: Product, sites: list[FixtureSite], browser: Browser) -> Workplace:
    """A workspace in which a site was read, for tests that write from it with the model."""
    return await read_site(browser, model_product, sites.pop().url)


@pytest.fixture
def model(model_server: ModelServer) -> Iterator[ModelServer]:
    """The model, with nothing asked yet and no rule left behind."""
    model_server.requests.clear()
    yield model_server
    model_server.script.clear()


@pytest.fixture(autouse=True)
def show_output_of_failed(request: pytest.FixtureRequest) -> Iterator[None]:
    """Add the output of the products during a failed test to its report."""
    names = [name for name in ("extractive_product", "model_product") if name in request.fixturenames]
    products: list[Product] = [request.getfixturevalue(name) for name in names]
    heard = [len(product.lines) for product in products]
    yield
    if request.node.stash.get(_FAILED, True):
        for name, product, before in zip(names, products, heard, strict=True):
            print(f"--- {name} at {product.url}", "".join(product.lines[before:]), sep="\n")
