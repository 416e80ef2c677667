"""Viewers: from an event's time in the log to the sockets of those who watch, and the memory that a viewer takes."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from app.accounts.sessions import COOKIE, digest_of, new_session
from app.content.workflows import WRITE_POST
from app.launcher.embedded_redis import find_free_port
from app.stores.repositories.workspaces import add_session
from bench.figures import Figures
from bench.processes import ROOT, cpu_seconds, python, resident_bytes, running
from bench.stores import WORKSPACE, Stores, accept, running_stores

RUNS = 50


@dataclass(frozen=True)
class Case:
    """So many viewers over all runs, and pieces of text a second in each run."""

    viewers: int
    per_second: float
    seconds: float

    @classmethod
    def at_rate(cls, viewers: int, deliveries: float, seconds: float) -> Case:
        """Return the case of this rate. `deliveries`: events times viewers, a second."""
        return cls(viewers, deliveries / viewers, seconds)


CASES = [
    Case.at_rate(200, 6_000, 20),
    Case.at_rate(1_000, 6_000, 20),
    Case.at_rate(3_000, 6_000, 20),
    Case(10_000, 1, 20),
]
QUICK = [Case.at_rate(100, 500, 4)]
COMPARED = [case for case in CASES if case.viewers in (1_000, 3_000)]
"""Fewer have runs in which events wait for their patch by design, more take the whole machine."""


async def bench_viewers(console: Console, *, quick: bool) -> None:
    """Measure each case on a new web process, and print the table."""
    cases = QUICK if quick else CASES
    allowed = _raise_file_limit()
    found = []
    for case in cases:
        if case.viewers + 500 > allowed:
            console.print(f"[red]{case.viewers} viewers need more open files than the {allowed} allowed here[/red]")
            continue
        console.print(f"[dim]viewers: {case.viewers}[/dim]")
        found.append((case, await _measure(case)))
        last = found[-1][1]
        console.print(f"[dim]  p50 {last['p50']:.1f} ms, p99 {last['p99']:.1f} ms, {last['lost']} lost[/dim]")
    console.print(_table(found))


async def viewers_figures(*, quick: bool) -> Figures:
    """Measure once how late and how whole events come to 1,000 and to 3,000 viewers."""
    _raise_file_limit()
    figures: dict[str, float] = {}
    for case in QUICK if quick else COMPARED:
        one = await _measure(case)
        named = {name: one[name] for name in ("lost", "doubled", "cut")}
        named |= {"p50 ms": one["p50"], "p99 ms": one["p99"]}
        named |= {"KiB a viewer": one["memory"]["watched"] / 1024, "CPU % of the web process": one["cpu"]["web"] * 100}
        figures |= {f"{case.viewers:,} viewers: {name}": value for name, value in named.items()}
    return figures


def _raise_file_limit() -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


async def _measure(case: Case) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return await _measure_in(Path(folder), case)


async def _measure_in(folder: Path, case: Case) -> dict[str, Any]:
    async with running_stores(folder) as stores:
        cookie = new_session()
        async with stores.database.writing() as session:
            await add_session(session, digest_of(cookie), WORKSPACE)
        accepted = await accept(stores, WRITE_POST, {"site_id": "", "topic": "Keeping one's word"}, RUNS)
        for run_id, submitted in accepted.items():
            await stores.log.submit(run_id, "write-post", submitted)
        port, file = find_free_port("127.0.0.1"), str(folder / "written.json")
        environment = {**stores.environment, "LONGHAND_PORT": str(port)}
        write = {"runs": list(accepted), "per_second": case.per_second, "seconds": case.seconds, "file": file}
        look = {"runs": list(accepted), "port": port, "file": file, "cookie": f"{COOKIE}={cookie}"}
        async with running(*python("app.cli", "web"), environment=environment, quiet=True) as web:
            await _until_serving(port)
            async with _talking("bench.viewers_writer", write, stores) as writer:
                await _warm_up({**look, "viewers": 0}, stores)
                return await _watch(web, writer, {**look, "viewers": case.viewers}, stores)


async def _watch(web: int, writer: asyncio.subprocess.Process, look: dict[str, Any], stores: Stores) -> dict[str, Any]:
    idle = resident_bytes(web)
    async with _talking("bench.viewers_load", look, stores) as load:
        connected = resident_bytes(web)
        processes = {"web": web, "writer": writer.pid, "load": load.pid}
        before = {name: cpu_seconds(process_id) for name, process_id in processes.items()}
        begun = asyncio.get_running_loop().time()
        _tell(writer, "go")
        assert await _hear(writer) == "done", "the writer failed"
        seconds = asyncio.get_running_loop().time() - begun
        used = {name: (cpu_seconds(process_id) - before[name]) / seconds for name, process_id in _alive(processes)}
        watched = resident_bytes(web)
        _tell(load, "stop")
        found: dict[str, Any] = json.loads(await _hear(load))
        stopping = await _stop(web)
        told = int(await _hear(load))
    viewers = look["viewers"]
    memory = {"connected": (connected - idle) / viewers, "watched": (watched - idle) / viewers}
    return {
        **found, "seconds": seconds, "cpu": used, "memory": memory, "web_bytes": watched,
        "stopping": stopping, "untold": viewers - told,
    }  # fmt: skip


async def _stop(process_id: int) -> float:
    """Return how many seconds the process takes to end on SIGTERM."""
    begun = asyncio.get_running_loop().time()
    os.kill(process_id, signal.SIGTERM)
    while _alive({"web": process_id}):
        await asyncio.sleep(0.01)
    return asyncio.get_running_loop().time() - begun


def _alive(processes: dict[str, int]) -> list[tuple[str, int]]:
    return [(name, process_id) for name, process_id in processes.items() if Path(f"/proc/{process_id}/stat").exists()]


async def _warm_up(look: dict[str, Any], stores: Stores) -> None:
    """Watch each run for a moment, so that what the process caches anyway does not count as its viewers' memory."""
    async with _talking("bench.viewers_load", look, stores):
        pass
    await asyncio.sleep(0.5)


@asynccontextmanager
async def _talking(module: str, order: dict[str, Any], stores: Stores) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a module of the bench during the block; yield its process when it has printed that it is ready."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *python(module, json.dumps(order)),
        cwd=ROOT,
        env={**os.environ, **stores.environment},
        stdin=pipe,
        stdout=pipe,
        limit=2**24,
    )
    try:
        if await _hear(process) != "ready":
            raise RuntimeError(f"{module} did not start")
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _tell(process: asyncio.subprocess.Process, word: str) -> None:
    assert process.stdin is not None
    process.stdin.write(f"{word}\n".encode())


async def _hear(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    return (await process.stdout.readline()).decode().strip()


async def _until_serving(port: int) -> None:
    async with asyncio.timeout(120):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def _table(found: list[tuple[Case, dict[str, Any]]]) -> Table:
    table = Table(title=f"Event in the log to the viewer's socket: posts in {RUNS} runs, one web process")
    table.add_column("viewers")
    for case, _ in found:
        table.add_column(f"{case.viewers:,}", justify="right")
    table.add_row("events/s in each run", *(f"{case.per_second:g}" for case, _ in found))
    rows: dict[str, Callable[[dict[str, Any]], str]] = {
        "events delivered/s": lambda one: f"{one['events'] / one['seconds']:,.0f}",
        "patches/s": lambda one: f"{one['patches'] / one['seconds']:,.0f}",
        "KiB a patch": lambda one: f"{one['bytes'] / max(1, one['patches']) / 1024:.1f}",
        "p50 ms": lambda one: f"{one['p50']:,.1f}",
        "p99 ms": lambda one: f"{one['p99']:,.1f}",
        "longest ms": lambda one: f"{one['most']:,.1f}",
        "lost": lambda one: f"{one['lost']}",
        "doubled": lambda one: f"{one['doubled']}",
        "cut": lambda one: f"{one['cut']}",
        "KiB a viewer, all connected": lambda one: f"{one['memory']['connected'] / 1024:.1f}",
        "KiB a viewer, at the end": lambda one: f"{one['memory']['watched'] / 1024:.1f}",
        "web process, MiB": lambda one: f"{one['web_bytes'] / 2**20:.0f}",
        "seconds from SIGTERM to its end": lambda one: f"{one['stopping']:.1f}",
        "viewers not told to come back": lambda one: f"{one['untold']}",
        "CPU of the web process": lambda one: f"{one['cpu'].get('web', 0):.0%}",
        "CPU of the load generator": lambda one: f"{one['cpu'].get('load', 0):.0%}",
        "CPU of the writer": lambda one: f"{one['cpu'].get('writer', 0):.0%}",
    }
    for name, show in rows.items():
        table.add_row(name, *(show(one) for _, one in found))
    return table
