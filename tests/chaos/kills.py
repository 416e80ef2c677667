"""Kills and restarts real worker processes while posts are written; prints a table.

`python -m tests.chaos.kills [--kills 200] [--restarts 20] [--seconds 0] [--seed 1]`: at random moments one of two
workers is killed with SIGKILL and started again, while eight posts are being written at any time; then workers are
replaced by SIGTERM one after the other. With `--seconds`, killing stops after that time.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.contract.events import Event
from app.contract.run import Run
from app.stores.database import migrate
from tests.conftest import make_settings
from tests.model_script import Rule
from tests.model_server import ModelServer
from tests.support.durable_redis import durable_redis
from tests.support.worker_process import END_TYPES, Deployment, WorkerHandle, running_deployment
from worker.testing import check_log
from worker.testing.invariants import count_restarts

POSTS_AT_ONCE = 8
LEASE_SECONDS = 3


@dataclass
class Tally:
    """The result of all runs.

    `recoveries`: seconds from a kill to the next fact, for each run that the dead worker held; `hindered`: those of
    them in which another worker was killed meanwhile, which may have been the one to take the run over. `moments`: the
    kills, by Redis's clock. `crashes`: the most crashes in a row of one run (see `crash_limit`).
    """

    runs: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)
    restarts: int = 0
    archived_wrongly: int = 0
    recoveries: list[float] = field(default_factory=list)
    hindered: list[float] = field(default_factory=list)
    moments: list[float] = field(default_factory=list)
    unheld: int = 0
    kills: int = 0
    drains: list[float] = field(default_factory=list)
    exits: Counter[int] = field(default_factory=Counter)
    recovered: int = 0
    crashes: int = 0


class PostLoad:
    """Orders posts, so that there are always `POSTS_AT_ONCE` under way, and checks each at its end."""

    def __init__(self, stage: Deployment, tally: Tally) -> None:
        self._stage = stage
        self._tally = tally
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(POSTS_AT_ONCE):
                tasks.create_task(self._order())

    async def _order(self) -> None:
        while not self._stop.is_set():
            run_id = await self._stage.write_post()
            self._tally.runs += 1
            while not (events := await self._stage.log.read(run_id)) or events[-1].type not in END_TYPES:
                await asyncio.sleep(0.25)
            await self._check(run_id)

    async def _check(self, run_id: str) -> None:
        await self._stage.wait_until_shipped(run_id)
        events = await self._stage.log.read(run_id)
        tally = self._tally
        tally.ends[events[-1].type] += 1
        tally.problems += [f"{run_id}: {problem}" for problem in check_log(events)]
        tally.restarts += count_restarts(events)
        tally.crashes = max(tally.crashes, _most_crashes(events))
        tally.recovered += sum(event.type == "run.recovered" for event in events)
        archived = [cursor for cursor, _ in await self._stage.archive.read(run_id)]
        tally.archived_wrongly += archived != [event.id for event in events]


def _most_crashes(events: Sequence[Event]) -> int:
    """Return the most crashes in a row that the run had."""
    run, most = Run(id="run_tallied"), 0
    for event in events:
        run.apply(event)
        most = max(most, run.setbacks)
    return most


async def kill_at_random(stage: Deployment, tally: Tally, kills: int, seconds: float, seed: int) -> None:
    """Kill one of the two workers, again and again, and start another in its place."""
    rng = random.Random(seed)
    deadline = time.monotonic() + seconds if seconds else float("inf")
    workers = [await stage.start_worker(), await stage.start_worker()]
    watching: set[asyncio.Task[None]] = set()
    while tally.kills < kills and time.monotonic() < deadline:
        await asyncio.sleep(rng.uniform(0.1, 5.0))
        place = rng.randrange(2)
        held = await _held_by(stage, workers[place])
        await workers[place].kill()
        moment = await _redis_time(stage)
        tally.kills += 1
        tally.moments.append(moment)
        tally.unheld += not held
        for run_id in held:
            watching.add(asyncio.create_task(_time_recovery(stage, tally, run_id, moment)))
        workers[place] = await stage.start_worker()
        print(f"\r{tally.kills} kills, {sum(tally.ends.values())} posts", end="", file=sys.stderr)
    await asyncio.gather(*watching)


async def restart_in_turn(stage: Deployment, tally: Tally, restarts: int) -> None:
    """Replace one of the two workers, again and again, as rolling deploys do: the new one comes before the old goes."""
    workers = [worker for worker in stage.workers if worker.process.returncode is None]
    for number in range(restarts):
        workers.append(await stage.start_worker())
        began = time.monotonic()
        tally.exits[await workers.pop(0).stop()] += 1
        tally.drains.append(time.monotonic() - began)
        print(f"\r{number + 1} restarts, {sum(tally.ends.values())} posts", end="", file=sys.stderr)


async def _held_by(stage: Deployment, worker: WorkerHandle) -> list[str]:
    held = []
    async for key in stage.redis.scan_iter("run:*:lease", count=1000):
        state, holder = await stage.redis.hmget(key, "state", "holder")
        if state == "held" and f"-{worker.pid}-" in (holder or ""):
            held.append(key.split(":")[1])
    return held


async def _redis_time(stage: Deployment) -> float:
    seconds, micros = await stage.redis.time()
    return int(seconds) + int(micros) / 1e6


async def _time_recovery(stage: Deployment, tally: Tally, run_id: str, killed: float) -> None:
    """Add to the tally how long it takes, by Redis's clock, until a worker has taken the run again."""

    def after(event: Event) -> bool:
        return event.type == "run.started" and int(event.id.split("-")[0]) / 1000 >= killed

    while True:
        events = await stage.log.read(run_id)
        if found := next((event for event in events if after(event)), None):
            taken = int(found.id.split("-")[0]) / 1000
            hindered = any(killed < other < taken for other in tally.moments)
            (tally.hindered if hindered else tally.recoveries).append(taken - killed)
            return
        if events[-1].type in END_TYPES:
            return  # it had just ended
        await asyncio.sleep(0.1)


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def _percentile_rows(what: str, seconds: Sequence[float]) -> list[tuple[str, str]]:
    shares = (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    return [(f"{what}, {name}", f"{percentile(seconds, share):.2f} s ({len(seconds)})") for name, share in shares]


def print_report(tally: Tally, what: str) -> None:
    rows = [
        ("posts ordered", str(tally.runs)),
        ("ends", ", ".join(f"{count} {end}" for end, count in tally.ends.items())),
        ("succeeded steps started again", str(tally.restarts)),
        ("broken invariants (order, doubled, lost)", str(len(tally.problems))),
        ("logs that differ between Redis and SQL", str(tally.archived_wrongly)),
        ("leases that ran out", str(tally.recovered)),
        ("most crashes in a row in one run", str(tally.crashes)),
    ]
    if tally.kills:
        rows += [
            ("kills (of a worker without a run)", f"{tally.kills} ({tally.unheld})"),
            ("runs interrupted", str(len(tally.recoveries) + len(tally.hindered))),
            *_percentile_rows("kill to next fact", tally.recoveries),
            *_percentile_rows("… with another kill meanwhile", tally.hindered),
        ]
    if tally.drains:
        rows += [
            ("restarts, exit codes", f"{len(tally.drains)}, {dict(tally.exits)}"),
            ("SIGTERM to exit, p50 / max", f"{percentile(tally.drains, 0.5):.2f} / {max(tally.drains):.2f} s"),
        ]
    print(f"\n\n{what}")
    for name, value in rows:
        print(f"  {name:<42} {value}")
    for problem in tally.problems[:20]:
        print("  !", problem)


@asynccontextmanager
async def open_stage(folder: Path, url: str, model: ModelServer) -> AsyncIterator[Deployment]:
    # Pieces come slowly, so that posts take seconds and kills meet them in every state.
    model.script.add(Rule(kind="write-section", times=0, delay=0.03))
    data_dir = folder / "data"
    data_dir.mkdir()
    settings = make_settings(data_dir=data_dir, redis_url=url)
    await migrate(settings)
    wiring = {
        "LONGHAND_MODEL": "openai:test",
        "LONGHAND_MODEL_BASE_URL": model.base_url,
        "LONGHAND_MODEL_API_KEY": "secret",
        "LONGHAND_MODEL_CONCURRENCY": "0",
        "LONGHAND_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    async with running_deployment(settings, folder, **wiring) as stage:
        yield stage


async def under_load(stage: Deployment, tally: Tally, action: asyncio.Task[None]) -> None:
    load = PostLoad(stage, tally)
    loading = asyncio.create_task(load.run())
    try:
        await asyncio.wait({action, loading}, return_when=asyncio.FIRST_COMPLETED)
        load.stop()
        await action
        await loading
    finally:
        for task in (action, loading):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(action, loading, return_exceptions=True)


async def main(options: argparse.Namespace, folder: Path, url: str) -> bool:
    killed, restarted = Tally(), Tally()
    async with ModelServer() as model, open_stage(folder, url, model) as stage:
        killing = kill_at_random(stage, killed, options.kills, options.seconds, options.seed)
        await under_load(stage, killed, asyncio.create_task(killing))
        print_report(killed, f"Random kills of one of two workers, lease {LEASE_SECONDS} s")
        if options.restarts:
            restarting = restart_in_turn(stage, restarted, options.restarts)
            await under_load(stage, restarted, asyncio.create_task(restarting))
            print_report(restarted, "Rolling restarts under load")
    return all(
        set(tally.ends) <= {"run.succeeded"} and not tally.problems and not tally.archived_wrongly
        for tally in (killed, restarted)
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--restarts", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=0)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="longhand-kills-") as name, durable_redis(Path(name, "redis")) as server:
        well = asyncio.run(main(given, Path(name), server.url))
    sys.exit(0 if well else 1)
