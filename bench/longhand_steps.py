"""Longhand's own side of the step bench: a real worker process on real stores, measured from the runs' logs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from statistics import median

from app.contract.cursors import parse_cursor
from app.contract.events import RunStarted
from app.contract.keys import lease_key
from app.stores.fleet import Fleet
from bench.measurement import Measurement, Order
from bench.noop import NAME
from bench.processes import cpu_seconds, python, running
from bench.stores import Stores, accept, running_stores

LOOK_SECONDS = 0.02
IDLE_SECONDS = 0.5
IDLE_SHARE = 0.2


async def measure_longhand(folder: Path, order: Order) -> Measurement:
    """Measure once, in a new folder."""
    async with (
        running_stores(folder) as stores,
        running(
            *python("bench.steps_worker"),
            environment={**stores.environment, "LONGHAND_RUN_CONCURRENCY": str(order.at_once)},
        ) as worker,
    ):
        await _until_ready(stores)
        await _until_idle(worker)
        await _run(stores, 2, order.steps)
        alone = [await _time_of(stores, *await _run(stores, 1, order.steps)) for _ in range(5)]
        used = cpu_seconds(worker)
        many = await _run(stores, order.runs, order.steps)
        used = cpu_seconds(worker) - used
        seconds = await _span(stores, many)
        long = await _run(stores, 1, order.long)
        costs = (await _result(stores, long[0]))[1]
    total = order.runs * order.steps
    return Measurement(median(alone) / order.steps, total / seconds, used * 1000 / total, costs)


async def _until_ready(stores: Stores) -> None:
    fleet = Fleet(stores.redis)
    async with asyncio.timeout(60):
        while not await fleet.workers():
            await asyncio.sleep(LOOK_SECONDS)


async def _until_idle(process_id: int) -> None:
    """Wait until the worker is idle: after it is ready, it still loads what it needs to read pages."""
    used = -1.0
    while (now := cpu_seconds(process_id)) - used > IDLE_SHARE * IDLE_SECONDS:
        used = now
        await asyncio.sleep(IDLE_SECONDS)


async def _run(stores: Stores, count: int, steps: int) -> list[str]:
    """Submit runs and wait for their ends; return their ids."""
    accepted = await accept(stores, NAME, {"steps": steps, "timed": True}, count)
    for run_id, submitted in accepted.items():
        await stores.log.submit(run_id, NAME, submitted)
    left = set(accepted)
    async with asyncio.timeout(300):
        while left:
            await asyncio.sleep(LOOK_SECONDS)
            left -= await _ended(stores, left)
    return list(accepted)


async def _ended(stores: Stores, run_ids: Iterable[str]) -> set[str]:
    pipe = stores.redis.pipeline(transaction=False)
    asked = list(run_ids)
    for run_id in asked:
        pipe.hget(lease_key(run_id), "state")
    return {run_id for run_id, state in zip(asked, await pipe.execute(), strict=True) if state == "ended"}


async def _span(stores: Stores, run_ids: list[str]) -> float:
    """Return the seconds from the first run's start to the last one's end, with all the taking of runs in between."""
    starts, ends = [], []
    for run_id in run_ids:
        events = await stores.log.read(run_id)
        starts += [parse_cursor(event.id)[0] for event in events if isinstance(event, RunStarted)]
        ends.append(parse_cursor(events[-1].id)[0])
    return (max(ends) - min(starts)) / 1000


async def _time_of(stores: Stores, run_id: str) -> float:
    return sum((await _result(stores, run_id))[1])


async def _result(stores: Stores, run_id: str) -> tuple[str, list[float]]:
    """Return the run's status, and each step's time in ms as the workflow itself measured it."""
    run = await stores.log.fold(run_id)
    if not run.output:
        raise RuntimeError(f"{run_id} ended as {run.status}: {run.error}")
    return run.status, [micros / 1000 for micros in run.output]
