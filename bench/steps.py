"""Steps: what durability costs a step, beside arq, LangGraph and DBOS."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.figures import Figures, spread
from bench.longhand_steps import measure_longhand
from bench.measurement import Measurement, Order
from bench.peers import environments
from bench.processes import ROOT, output_of, running_redis
from bench.resume import measure_resume

TURNS = 3
"""How often each is measured: the tables show medians, with the least and the greatest."""

ORDER = Order(runs=320, steps=10, at_once=16, long=1000)
QUICK = Order(runs=32, steps=10, at_once=16, long=100)

Measure = Callable[[Path, Order], Awaitable[Measurement]]

GUARANTEES = {
    "Longhand": (
        "A step's success and result are one append, in Redis before the next step begins (append-only file, fsync "
        "each second), in SQL within 0.5 s. A dead worker's run goes on after its lease; fenced: no step counts twice."
    ),
    "arq": (
        "A job runs at least once; a killed worker's job starts again from its beginning, after its timeout. Nothing "
        "inside a job is remembered; results are kept an hour."
    ),
    "langgraph": (
        "Each step's state is in SQLite before the next begins (durability=sync, fsync by SQLite). Whoever calls must "
        "notice a dead process and call again; no leases, nothing keeps two callers apart."
    ),
    "dbos": (
        "Each step's result is in SQLite before the next begins. The same executor goes on with its runs when it is "
        "started again."
    ),
}


async def bench_steps(console: Console, *, quick: bool) -> None:
    """Measure everybody in turn, several times over, and print the tables."""
    order = QUICK if quick else ORDER
    contestants, absent = await _prepare(console)
    measured: dict[str, list[Measurement]] = {name: [] for name in contestants}
    for turn in range(1 if quick else TURNS):
        for name, measure in contestants.items():
            console.print(f"[dim]steps: {name}, turn {turn + 1}[/dim]")
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                one = await measure(Path(folder), order)
            measured[name].append(one)
            console.print(f"[dim]  {one.alone_ms:.2f} ms a step alone, {one.steps_per_second:,.0f} steps/s[/dim]")
    console.print(_costs(measured, absent, order))
    console.print(_flatness(measured, order))
    lengths = [10, 100] if quick else [10, 100, 1000]
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        console.print(_resumes(await measure_resume(Path(folder), lengths, 1 if quick else TURNS)))


async def steps_figures(*, quick: bool) -> Figures:
    """Measure Longhand alone, once."""
    order = QUICK if quick else ORDER
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        one = await measure_longhand(Path(folder), order)
    return {
        f"steps/s, {order.at_once} runs at once": one.steps_per_second,
        "CPU ms a step": one.cpu_ms,
        "ms a step, a run alone": one.alone_ms,
        f"ms a step, at step {order.long:,} of a run": one.cost_at(order.long) or 0.0,
    }


async def _prepare(console: Console) -> tuple[dict[str, Measure], dict[str, str]]:
    """Return the systems that can be measured here, and why the others cannot."""
    contestants: dict[str, Measure] = {"Longhand": measure_longhand, "arq": _measure_arq}
    absent = {}
    for peer in ("langgraph", "dbos"):
        console.print(f"[dim]steps: {peer} {environments.version(peer)} in {environments.FOLDER.name}/{peer}[/dim]")
        try:
            python = await environments.prepare(peer)
        except (RuntimeError, OSError) as error:
            absent[peer] = f"not measured, could not be installed: {error}"
        else:
            contestants[peer] = _peer(peer, python)
    return contestants, absent


def _peer(peer: str, python: str) -> Measure:
    script = str(ROOT / "bench" / "peers" / f"{peer}_steps.py")

    async def measure(folder: Path, order: Order) -> Measurement:
        return await _ask(python, script, order.as_dict(folder=str(folder)))

    return measure


async def _measure_arq(folder: Path, order: Order) -> Measurement:
    async with running_redis(folder / "redis") as url:
        script = str(ROOT / "bench" / "peers" / "arq_jobs.py")
        return await _ask(sys.executable, script, order.as_dict(redis=url))


async def _ask(python: str, script: str, order: dict[str, Any]) -> Measurement:
    answer = await output_of(python, script, json.dumps(order))
    return Measurement(**json.loads(answer.splitlines()[-1]))


def _costs(measured: dict[str, list[Measurement]], absent: dict[str, str], order: Order) -> Table:
    table = Table(
        title=f"{order.steps} no-op steps a run, {order.at_once} runs at once, one worker process", show_lines=True
    )
    table.add_column("")
    table.add_column("ms a step, a run alone", justify="right")
    table.add_column(f"steps/s, {order.at_once} runs at once", justify="right")
    table.add_column("CPU ms a step", justify="right")
    table.add_column("guarantees", overflow="fold")
    for name, found in measured.items():
        table.add_row(
            _title(name),
            spread([one.alone_ms for one in found]),
            spread([one.steps_per_second for one in found], ",.0f"),
            spread([one.cpu_ms for one in found]),
            GUARANTEES[name],
        )
    for name, reason in absent.items():
        table.add_row(_title(name), "-", "-", "-", reason)
    return table


def _flatness(measured: dict[str, list[Measurement]], order: Order) -> Table:
    table = Table(title=f"A step's cost (ms) in one run of {order.long:,} steps: median of the 10 steps up to it")
    table.add_column("")
    marks = [step for step in (10, 100, 1000) if step <= order.long]
    for step in marks:
        table.add_column(f"step {step:,}", justify="right")
    for name, found in measured.items():
        costs = [[cost for one in found if (cost := one.cost_at(step)) is not None] for step in marks]
        if any(costs):
            table.add_row(_title(name), *(spread(cost) for cost in costs))
    return table


def _resumes(measured: dict[int, tuple[int, float]]) -> Table:
    table = Table(title="Resuming a run: mint, take, read the log, come to where it stood, end")
    for column in ("steps", "events in the log", "ms", "ms an event"):
        table.add_column(column, justify="right")
    for steps, (events, milliseconds) in measured.items():
        table.add_row(f"{steps:,}", f"{events:,}", f"{milliseconds:,.1f}", f"{milliseconds / events:.3f}")
    return table


def _title(name: str) -> str:
    return f"{name} {environments.version(name)}" if name in ("langgraph", "dbos") else name
