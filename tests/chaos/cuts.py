"""Cuts connections of viewers at random while posts are written, and compares what each has at the end; prints a table.

`python -m tests.chaos.cuts [--viewers 50] [--readers 10] [--browsers 2] [--seconds 60] [--seed 1]`: the real product
(web, worker, Redis) writes posts; a proxy cuts streams anywhere, also in the middle of a message; the web process is
once stopped and once killed, and started again. Viewers have a post's page and change it as its script would; readers
read the log through the API; browsers are real ones. All follow their posts to the end, and are then compared with the
log.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from lxml import html
from playwright.async_api import Browser, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from app.accounts.sessions import COOKIE, digest_of, new_session
from app.contract.status import ENDED
from app.stores.log import Log
from app.stores.repositories.workspaces import add_session
from tests.chaos.kills import open_stage
from tests.chaos.viewers import LogReader, PageViewer, Post, Tally, text_of, written
from tests.end_to_end.live.posts import ProductWeb, running_product_web
from tests.end_to_end.live.proxy import Proxy, running_proxy
from tests.model_server import ModelServer
from tests.support.chromium import ARGUMENTS, find_chromium
from tests.support.durable_redis import durable_redis
from tests.support.site_rows import SITE, WORKSPACE
from tests.support.worker_process import Deployment

POSTS_AT_ONCE = 4
MOST_BYTES = 60_000
"""The most bytes that a stream carries which the proxy cuts by itself."""


@dataclass
class PostLoad:
    """Posts that are being written, until `stopping` is set."""

    stage: Deployment
    log: Log
    seed: int
    posts: list[Post] = field(default_factory=list)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    ordered: int = 0

    async def order(self) -> None:
        """Order one post after another, so that one is always under way."""
        while not self.stopping.is_set():
            brief = {"site_id": SITE, "topic": "cargo bikes and winter tyres", "length": "short"}
            accepted = await self.stage.submission.submit("write-post", brief, WORKSPACE)
            post = Post(accepted.post_id or "", accepted.run_id)
            self.posts.append(post)
            self.ordered += 1
            while not (await self.log.fold(post.run_id)).ended:
                await asyncio.sleep(0.2)
            self.posts.remove(post)

    async def choose(self, rng: random.Random) -> Post:
        """Return one of the posts that are under way, as soon as there is one."""
        while not self.posts:
            await asyncio.sleep(0.05)
        return rng.choice(self.posts)


async def watch(viewer: PageViewer | LogReader, load: PostLoad, number: int) -> None:
    """Follow one post after the other to its end."""
    rng = random.Random(f"{load.seed} {number}")
    while not load.stopping.is_set():
        await viewer.watch(await load.choose(rng), load.log)


async def watch_in_browser(browser: Browser, url: str, session: str, load: PostLoad, tally: Tally, number: int) -> None:
    """Follow one post after the other in Chromium, whose page the product's own script changes."""
    rng = random.Random(f"{load.seed} browser {number}")
    context = await browser.new_context()
    context.set_default_timeout(120_000)
    await context.add_cookies([{"name": COOKIE, "value": session, "url": url}])
    ended = ", ".join(f'[data-run-status="{status}"]' for status in ENDED)
    page = await context.new_page()
    while not load.stopping.is_set():
        post = await load.choose(rng)
        if not await _open(page, f"{url}/posts/{post.id}"):
            continue
        await page.wait_for_selector(ended, state="attached")
        shown = text_of(html.fragment_fromstring(await page.locator("#live").inner_html(), create_parent="div"))
        tally.followed += 1
        run = await load.log.fold(post.run_id)
        if shown != written(run):
            tally.differences.append(f"{post.run_id}: Chromium has {shown!r}, the log {written(run)!r}")
    await context.close()


async def _open(page: Page, address: str) -> bool:
    """Load a page once. Return whether the server answered with one."""
    try:
        answer = await page.goto(address, wait_until="commit")
    except PlaywrightError:
        await asyncio.sleep(0.2)
        return False
    return answer is not None and answer.ok


async def disturb(proxy: Proxy, web: ProductWeb, seconds: float, rng: random.Random) -> None:
    """Cut some streams all the time; stop the web process after a third of the time, kill it after two thirds."""
    replacing = asyncio.create_task(_replace(web, seconds / 3))
    while not replacing.done():
        await asyncio.sleep(rng.uniform(0.1, 0.6))
        proxy.cut(rng.uniform(0, 0.2))
    await replacing


async def _replace(web: ProductWeb, pause: float) -> None:
    for end in (web.stop, web.kill):
        await asyncio.sleep(pause)
        await end()
        await web.start()
    await asyncio.sleep(pause)


@asynccontextmanager
async def browsing(count: int) -> AsyncIterator[Browser | None]:
    if not count:
        yield None
        return
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=find_chromium(), args=list(ARGUMENTS))
        yield browser
        await browser.close()


@dataclass
class Outcome:
    """The result: `pages`, `readers` and `browsers` are what each kind of viewer received."""

    pages: Tally = field(default_factory=Tally)
    readers: Tally = field(default_factory=Tally)
    browsers: Tally = field(default_factory=Tally)
    posts: int = 0
    cuts: int = 0

    @property
    def differences(self) -> list[str]:
        return [*self.pages.differences, *self.readers.differences, *self.browsers.differences]


async def run_cuts(options: argparse.Namespace, folder: Path, redis_url: str) -> Outcome:
    outcome, rng = Outcome(), random.Random(options.seed)

    def draw_length() -> int | None:
        return rng.randint(1, MOST_BYTES) if rng.random() < 0.7 else None

    async with (
        ModelServer() as model,
        open_stage(folder, redis_url, model) as stage,
        running_product_web(redis_url, stage.settings.data_dir) as web,
        running_proxy(web.port, draw_fuse=draw_length) as proxy,
        browsing(options.browsers) as browser,
    ):
        session = new_session()
        async with stage.database.writing() as writing:
            await add_session(writing, digest_of(session), WORKSPACE)
        await stage.start_worker()
        load = PostLoad(stage, stage.log, options.seed)
        async with (
            httpx2.AsyncClient(
                base_url=proxy.url, cookies={COOKIE: session}, timeout=30, limits=httpx2.Limits(max_connections=None)
            ) as client,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(POSTS_AT_ONCE):
                tasks.create_task(load.order())
            for number in range(options.viewers):
                tasks.create_task(watch(PageViewer(client, outcome.pages, number), load, number))
            for number in range(options.readers):
                tasks.create_task(watch(LogReader(client, outcome.readers, number), load, number + options.viewers))
            for number in range(options.browsers):
                assert browser is not None
                tasks.create_task(watch_in_browser(browser, proxy.url, session, load, outcome.browsers, number))
            await disturb(proxy, web, options.seconds, rng)
            load.stopping.set()
        outcome.posts, outcome.cuts = load.ordered, proxy.cuts
    return outcome


def print_report(outcome: Outcome, options: argparse.Namespace) -> None:
    kinds = (("pages", outcome.pages), ("readers of the log", outcome.readers), ("Chromium", outcome.browsers))
    counts = (options.viewers, options.readers, options.browsers)
    print(f"\n{outcome.posts} posts, {outcome.cuts} streams cut, 2 restarts of the web process\n")
    print(
        " " * 20 + "".join(f"{name:>10}" for name in ("viewers", "runs", "connected", "messages", "repeats", "wrong"))
    )
    for (name, tally), count in zip(kinds, counts, strict=True):
        figures = (count, tally.followed, tally.connections, tally.deliveries, tally.repeats, len(tally.differences))
        print(f"{name:<20}" + "".join(f"{figure:>10}" for figure in figures))
    for difference in outcome.differences[:20]:
        print("  !", difference[:2000])


def read_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--viewers", type=int, default=50)
    parser.add_argument("--readers", type=int, default=10)
    parser.add_argument("--browsers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    given = read_options()
    with tempfile.TemporaryDirectory(prefix="longhand-cuts-") as name, durable_redis(Path(name, "redis")) as server:
        result = asyncio.run(run_cuts(given, Path(name), server.url))
    print_report(result, given)
    sys.exit(1 if result.differences or not result.pages.followed else 0)
