"""The cost of resuming a run, by the length of its log: times the call that an arq job makes."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from statistics import median

from app.contract.cursors import START
from app.contract.events import CommandAnswer
from app.contract.payloads import AnswerData
from app.stores.log import ArchivedState
from bench.noop import NAME, WORKFLOWS
from bench.stores import Stores, accept, running_stores
from worker.engine.holder import RunHolder, WorkerIdentity


async def measure_resume(folder: Path, lengths: list[int], repeats: int) -> dict[int, tuple[int, float]]:
    """Return for each number of steps the events in the log, and the ms from the job's arrival to the run's end."""
    gc.freeze()  # as workers do: else a collection in the middle of a measurement visits the bench's own modules
    async with running_stores(folder) as stores:
        holder = RunHolder(WorkerIdentity("bench", "bench"), WORKFLOWS, stores, lambda *_: {})
        await _resume(stores, holder, 10)
        measured = {}
        for steps in lengths:
            found = [await _resume(stores, holder, steps) for _ in range(repeats)]
            measured[steps] = found[0][0], median(milliseconds for _, milliseconds in found)
        return measured


async def _resume(stores: Stores, holder: RunHolder, steps: int) -> tuple[int, float]:
    """Run the steps, park, answer, and time what is left: reading the log, and coming to where the run stood."""
    accepted = await accept(stores, NAME, {"steps": steps, "asked": True})
    run_id, submitted = accepted.popitem()
    await stores.log.submit(run_id, NAME, submitted)
    await holder.hold(run_id)
    run = await stores.log.fold(run_id)
    ask = run.asks[0]
    answer = CommandAnswer(data=AnswerData(ask=ask.ask, name=ask.name, value="on"))
    await stores.log.command(run_id, answer, "answer", ArchivedState("parked", START, NAME, "1"))
    length = len(await stores.log.entries(run_id))
    begun = time.perf_counter()
    await holder.hold(run_id)
    milliseconds = (time.perf_counter() - begun) * 1000
    if not (await stores.log.fold(run_id)).ended:
        raise RuntimeError(f"{run_id} did not end.")
    return length, milliseconds
