"""The workflow of the step benches: no-op components one after another."""

from __future__ import annotations

import time

from pydantic import BaseModel

from worker.runtime import Workflows, ask, component, workflow

NAME = "bench-steps"


class Order(BaseModel):
    """`timed`: return each step's time. `asked`: park after the steps until an answer comes."""

    steps: int
    timed: bool = False
    asked: bool = False


@component
async def do_nothing(number: int) -> int:
    return number


@workflow(NAME)
async def take_steps(order: Order) -> list[int]:
    """No-op steps, one after another. The result is their times in microseconds."""
    times = []
    for number in range(order.steps):
        begun = time.perf_counter_ns()
        await do_nothing.key(str(number))(number)
        if order.timed:
            times.append((time.perf_counter_ns() - begun) // 1000)
    if order.asked:
        await ask("go", "Go on?", str)
    return times


WORKFLOWS = Workflows([take_steps])
