"""LangGraph with its SQLite saver and `durability="sync"`: each step's checkpoint is written before the next begins.

Run by the Python of the peer's own environment: `python langgraph_steps.py ORDER_JSON` prints a measurement as JSON.
"""
# mypy: disable-error-code="import-not-found"

from __future__ import annotations

import asyncio
import json
import sys
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, TypedDict

from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from langgraph.graph import END, START, StateGraph


class State(TypedDict):
    number: int
    steps: int


MARKS: list[float] = []


async def do_nothing(state: State) -> dict[str, int]:
    MARKS.append(time.perf_counter())
    return {"number": state["number"] + 1}


def go_on(state: State) -> str:
    return "do_nothing" if state["number"] < state["steps"] else END


def build(saver: Any) -> Any:
    graph = StateGraph(State)
    graph.add_node("do_nothing", do_nothing)
    graph.add_edge(START, "do_nothing")
    graph.add_conditional_edges("do_nothing", go_on)
    return graph.compile(checkpointer=saver)


async def run(graph: Any, name: str, steps: int) -> float:
    """Return the seconds that one run takes."""
    begun = time.perf_counter()
    config = {"configurable": {"thread_id": name}, "recursion_limit": steps + 10}
    await graph.ainvoke({"number": 0, "steps": steps}, config, durability="sync")
    return time.perf_counter() - begun


async def run_many(graph: Any, runs: int, steps: int, at_once: int) -> float:
    room = asyncio.Semaphore(at_once)

    async def one(number: int) -> None:
        async with room:
            await run(graph, f"many-{number}", steps)

    begun = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(runs)))
    return time.perf_counter() - begun


async def measure(order: dict[str, Any]) -> dict[str, Any]:
    runs, steps = order["runs"], order["steps"]
    async with AsyncSqliteSaver.from_conn_string(str(Path(order["folder"]) / "langgraph.db")) as saver:
        graph = build(saver)
        await run(graph, "warm-up", steps)
        alone = median([await run(graph, f"alone-{number}", steps) for number in range(5)])
        used = time.process_time()
        many = await run_many(graph, runs, steps, order["at_once"])
        used = time.process_time() - used
        MARKS.clear()
        await run(graph, "long", order["long"])
    costs = [(later - earlier) * 1000 for earlier, later in pairwise(MARKS)]
    return {
        "alone_ms": alone * 1000 / steps,
        "steps_per_second": runs * steps / many,
        "cpu_ms": used * 1000 / (runs * steps),
        "costs_ms": costs,
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(json.loads(sys.argv[1])))))
