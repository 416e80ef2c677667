"""arq's own no-op jobs: one worker process with arq's defaults but for the poll delay and the jobs at once.

`python bench/peers/arq_jobs.py ORDER_JSON` prints a measurement as JSON. As a worker it is started by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from arq import create_pool
from arq.connections import RedisSettings
from arq.worker import Worker

POLL_SECONDS = 0.05


async def do_nothing(_context: dict[Any, Any], number: int) -> int:
    return number


async def chain(context: dict[Any, Any], left: int) -> None:
    """Enqueue the next job: so are steps that wait for each other built from jobs."""
    if left > 1:
        await context["redis"].enqueue_job("chain", left - 1)
    else:
        await context["redis"].rpush("bench:done", time.time())


FUNCTIONS: list[Any] = [do_nothing, chain]


def work(url: str, at_once: int) -> None:
    worker = Worker(
        functions=FUNCTIONS,
        redis_settings=RedisSettings.from_dsn(url),
        max_jobs=at_once,
        poll_delay=POLL_SECONDS,
    )
    worker.run()


async def measure(order: dict[str, Any]) -> dict[str, Any]:
    pool = await create_pool(RedisSettings.from_dsn(order["redis"]))
    total = order["runs"] * order["steps"]
    seconds, used = await _drain(pool, [("do_nothing", number) for number in range(total)])
    alone = await _chain(pool, order["steps"])
    await pool.aclose()
    return {
        "alone_ms": alone * 1000 / order["steps"],
        "steps_per_second": total / seconds,
        "cpu_ms": used * 1000 / total,
    }


async def _drain(pool: Any, jobs: list[tuple[str, int]]) -> tuple[float, float]:
    """Return the seconds from the first result to an empty queue, and the worker's processor time in between."""
    for name, number in jobs:
        await pool.enqueue_job(name, number)
    return await _until_empty(pool)


async def _until_empty(pool: Any) -> tuple[float, float]:
    worker = _start_worker(pool)
    try:
        while not await pool.keys("arq:result:*"):  # until the worker is up
            await asyncio.sleep(0.001)
        begun, used = time.perf_counter(), _cpu_seconds(worker.pid)
        while await pool.zcard("arq:queue"):
            await asyncio.sleep(0.02)
        return time.perf_counter() - begun, _cpu_seconds(worker.pid) - used
    finally:
        worker.terminate()
        worker.wait()


async def _chain(pool: Any, length: int) -> float:
    worker = _start_worker(pool)
    try:
        for _ in range(2):  # the first is for warming up
            begun = time.time()
            await pool.enqueue_job("chain", length)
            _, ended = await pool.blpop("bench:done")
        return float(ended) - begun
    finally:
        worker.terminate()
        worker.wait()


def _cpu_seconds(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _start_worker(pool: Any) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, __file__, "work", ORDER["redis"], str(ORDER["at_once"])]
    return subprocess.Popen(arguments, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    if sys.argv[1] == "work":
        asyncio.set_event_loop(asyncio.new_event_loop())
        work(sys.argv[2], int(sys.argv[3]))
    else:
        ORDER: dict[str, Any] = json.loads(sys.argv[1])
        print(json.dumps(asyncio.run(measure(ORDER))))
