"""The life of a worker's engine: its loops run until a signal, then its runs are handed over."""

from __future__ import annotations

import asyncio
import signal

import structlog

from worker.engine.archiver import Archiver
from worker.engine.arq_queue import ArqQueue
from worker.engine.error_reporting import STORE_ERRORS
from worker.engine.holder import RunHolder
from worker.engine.scheduler import Scheduler

logger = structlog.get_logger()


class StopSignals:
    """SIGTERM and SIGINT to this process. The first one sets `stop`; a second one sets `abort` too."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.abort = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._handle)

    def _handle(self) -> None:
        if self.stop.is_set():
            self.abort.set()
        self.stop.set()


class Engine:
    """Runs the loops of one worker: scheduler, queue and archiver."""

    def __init__(self, holder: RunHolder, scheduler: Scheduler, queue: ArqQueue, archiver: Archiver) -> None:
        self._holder = holder
        self._scheduler = scheduler
        self._queue = queue
        self._archiver = archiver

    async def run(self, signals: StopSignals, drain_seconds: float) -> None:
        """Work until `stop`, then hand over all runs. Running steps have this long to end, or until `abort`.

        A loop that ends by itself stops the worker like two signals, and its error is raised at the end.
        """
        loops = [
            asyncio.create_task(self._scheduler.run_forever(), name="scheduler"),
            asyncio.create_task(self._archiver.run_forever(), name="archiver"),
            asyncio.create_task(self._queue.run_forever(), name="queue"),
        ]
        failed = await self._wait_for_stop(loops, signals)
        await self._drain(signals, drain_seconds)
        await self._archive_rest()
        for loop in loops:
            loop.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        if failed:
            failed.result()  # the process ends with this error, and is started again

    async def _wait_for_stop(self, loops: list[asyncio.Task[None]], signals: StopSignals) -> asyncio.Task[None] | None:
        """Wait for `stop`; return a loop that ended by itself before, which means that it failed."""
        stop = asyncio.create_task(signals.stop.wait())
        await asyncio.wait({stop, *loops}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        failed = next((loop for loop in loops if loop.done()), None)
        if failed:
            logger.error("worker failed", task=failed.get_name())
            signals.abort.set()
        return failed

    async def _drain(self, signals: StopSignals, seconds: float) -> None:
        logger.info("worker draining", runs=len(self._holder.runs))
        draining = asyncio.create_task(self._holder.drain(seconds))
        abort = asyncio.create_task(signals.abort.wait())
        abort.add_done_callback(lambda task: None if task.cancelled() else self._holder.abort())
        await self._queue.stop()
        await self._scheduler.stop()
        await draining
        abort.cancel()

    async def _archive_rest(self) -> None:
        """Archive the last events of the runs; where that fails, other workers archive them."""
        try:
            await self._archiver.archive_batch()
        except STORE_ERRORS as error:
            logger.warning("archiving left to others", error=str(error))
