"""DBOS on SQLite, in its async form: each step's result is written before the next begins.

Run by the Python of the peer's own environment: `python dbos_steps.py ORDER_JSON` prints a measurement as JSON.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import pairwise
from statistics import median
from typing import Any

from dbos import DBOS

MARKS: list[float] = []


@DBOS.step()
async def do_nothing(number: int) -> int:
    MARKS.append(time.perf_counter())
    return number


@DBOS.workflow()
async def take_steps(steps: int) -> int:
    for number in range(steps):
        await do_nothing(number)
    return steps


async def run_alone(steps: int) -> float:
    """Return the seconds that one run takes."""
    begun = time.perf_counter()
    await take_steps(steps)
    return time.perf_counter() - begun


async def run_many(runs: int, steps: int, at_once: int) -> float:
    room = asyncio.Semaphore(at_once)

    async def one() -> None:
        async with room:
            await take_steps(steps)

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(runs)))
    return time.perf_counter() - begun


async def measure(order: dict[str, Any]) -> dict[str, Any]:
    runs, steps = order["runs"], order["steps"]
    await run_alone(steps)
    alone = median([await run_alone(steps) for _ in range(5)])
    used = time.process_time()
    many = await run_many(runs, steps, order["at_once"])
    used = time.process_time() - used
    MARKS.clear()
    await run_alone(order["long"])
    costs = [(later - earlier) * 1000 for earlier, later in pairwise(MARKS)]
    return {
        "alone_ms": alone * 1000 / steps,
        "steps_per_second": runs * steps / many,
        "cpu_ms": used * 1000 / (runs * steps),
        "costs_ms": costs,
    }


def main() -> None:
    order = json.loads(sys.argv[1])
    address = f"sqlite:///{order['folder']}/dbos.db"
    DBOS(config={"name": "bench", "system_database_url": address, "log_level": "ERROR"})
    DBOS.launch()
    answer = json.dumps(asyncio.run(measure(order)))
    DBOS.destroy()
    print(answer)


if __name__ == "__main__":
    main()
