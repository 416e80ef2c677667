"""Reopening: what it costs to open the page of a long run, beside a short one whose page is as large."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx2
from rich.console import Console
from rich.table import Table
from sqlalchemy import delete

from app.accounts.sessions import COOKIE, digest_of, new_session
from app.contract import keys
from app.launcher.embedded_redis import find_free_port
from app.stores.repositories.workspaces import add_session
from app.stores.tables import SnapshotRow
from bench.figures import Figures
from bench.posts import WrittenPost, add_site, write_post
from bench.processes import cpu_seconds, python, running
from bench.stores import WORKSPACE, Stores, running_stores

SHORT, LONG = 200, 20_000
HOT, COLD = "ended, log in Redis", "ended, log in SQL alone"


@dataclass(frozen=True)
class Opening:
    """The first time that a new web process shows this run, and the many that follow; times in ms."""

    first: float
    head: float
    whole: float
    cpu: float
    kilobytes: float


@dataclass(frozen=True)
class Measured:
    """One kind of run, and how it opened."""

    what: str
    events: int
    opening: Opening


async def bench_reopening(console: Console, *, quick: bool) -> None:
    """Open the same posts while they are hot, without snapshots, and from SQL alone; print the table."""
    console.print(_table(await _measure_all(quick=quick)))


async def reopening_figures(*, quick: bool) -> Figures:
    """Open the same posts; return what it costs to open those that have ended."""
    return {
        f"reopening, {one.events:,} events, {one.what}: {figure}": value
        for one in await _measure_all(quick=quick)
        if one.what in (HOT, COLD)
        for figure, value in (("ms", one.opening.whole), ("CPU ms", one.opening.cpu))
    }


async def _measure_all(*, quick: bool) -> list[Measured]:
    long, times = (2_000, 5) if quick else (LONG, 40)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with running_stores(Path(folder)) as stores:
            return await _open_all(stores, long, times)


async def _open_all(stores: Stores, long: int, times: int) -> list[Measured]:
    cookie = new_session()
    async with stores.database.writing() as session:
        await add_session(session, digest_of(cookie), WORKSPACE)
    await add_site(stores)
    warm = await write_post(stores, 50)
    posts = {count: await write_post(stores, count) for count in (SHORT, long)}
    going = await write_post(stores, long, end=False)
    measured: list[Measured] = []

    async def measure(what: str, count: int, post: WrittenPost, *, known: bool = False) -> None:
        async with _serving(stores, cookie, warm.address) as (web, client):
            opening = await _open(web, client, post.address, times, known=known)
        measured.append(Measured(what, count, opening))

    await measure("goes on", long, going)
    for count, post in posts.items():
        await measure(HOT, count, post)
    await stores.redis.delete(*(keys.log_key(post.run_id) for post in posts.values()))
    for count, post in posts.items():
        await measure(COLD, count, post)
    await measure("the same, known to the browser", long, posts[long], known=True)
    async with stores.database.writing() as session:
        await session.execute(delete(SnapshotRow))
    await measure("goes on, without snapshot", long, going)
    for count, post in posts.items():
        await measure("ended, in SQL alone, without snapshot", count, post)
    return measured


async def _open(web: int, client: httpx2.AsyncClient, address: str, times: int, *, known: bool) -> Opening:
    headers = {"if-none-match": (await client.get(address)).headers["etag"]} if known else {}
    first = await _time(client, address, headers)
    before, found = cpu_seconds(web), []
    for _ in range(times):
        found.append(await _time(client, address, headers))
    cpu = (cpu_seconds(web) - before) / times * 1000
    return Opening(first[1], median(one[0] for one in found), median(one[1] for one in found), cpu, first[2] / 1024)


@asynccontextmanager
async def _serving(stores: Stores, cookie: str, shown: str) -> AsyncIterator[tuple[int, httpx2.AsyncClient]]:
    """Run a new web process that has shown one page of a run; yield its id, and a client of it."""
    port = find_free_port("127.0.0.1")
    environment = {**stores.environment, "LONGHAND_PORT": str(port)}
    address = f"http://127.0.0.1:{port}"
    async with (
        running(*python("app.cli", "web"), environment=environment, quiet=True) as web,
        httpx2.AsyncClient(base_url=address, cookies={COOKIE: cookie}, timeout=60, trust_env=False) as client,
    ):
        while not await _is_up(client):
            await asyncio.sleep(0.05)
        for _ in range(3):
            await _time(client, shown, {})
        yield web, client


async def _is_up(client: httpx2.AsyncClient) -> bool:
    try:
        return (await client.get("/healthz")).is_success
    except httpx2.TransportError:
        return False


async def _time(client: httpx2.AsyncClient, address: str, headers: dict[str, str]) -> tuple[float, float, int]:
    """Return the ms to the answer's head and to its end, and its size."""
    begun = time.perf_counter()
    async with client.stream("GET", address, headers=headers) as response:
        assert response.status_code == (304 if headers else 200), response.status_code
        head = time.perf_counter()
        size = len(await response.aread())
    return (head - begun) * 1000, (time.perf_counter() - begun) * 1000, size


def _table(measured: list[Measured]) -> Table:
    table = Table(title="Opening the page of a post, by the length of its log")
    table.add_column("the run")
    for name in ("events", "KiB", "first ms", "to its head ms", "to its end ms", "CPU ms"):
        table.add_column(name, justify="right")
    for one in measured:
        opening = one.opening
        times = (opening.first, opening.head, opening.whole, opening.cpu)
        table.add_row(one.what, f"{one.events:,}", f"{opening.kilobytes:.0f}", *(f"{ms:,.1f}" for ms in times))
    return table
