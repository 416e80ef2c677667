"""The worker process: the only place where the compute plane is wired."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import secrets
import signal
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
import uvloop
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.contract.payloads import Called
from app.contract.settings import Settings
from app.stores.archive import Archive
from app.stores.connection import connect
from app.stores.database import Database
from app.stores.epochs import Epochs, Minted
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log
from app.stores.redis_risks import warn_of_risks
from app.stores.unshipped import Unshipped
from worker.agents.author import Author
from worker.agents.extractive_author import ExtractiveAuthor
from worker.agents.model_author import ModelAuthor
from worker.crawl.extract import extract_page
from worker.crawl.site import SiteReader
from worker.engine.archiver import Archiver
from worker.engine.arq_queue import ArqQueue, open_queue
from worker.engine.fencing import Fence
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.engine.result_cache import SqlCache
from worker.engine.scheduler import Scheduler
from worker.engine.shutdown import ending_in_time
from worker.engine.site_knowledge import SiteKnowledge
from worker.llm.gateway import open_gateway
from worker.llm.rate_limiter import Limits, RateLimiter
from worker.llm.usage import ModelCall
from worker.runtime import Workflows, spend, uncharged
from worker.workflows import WORKFLOWS

logger = structlog.get_logger()


def identify() -> WorkerIdentity:
    """A name for this process that no other has, and the build it runs."""
    build = os.environ.get("LONGHAND_BUILD", "dev")
    return WorkerIdentity(holder=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}", build=build)


def warm_up(*, models: bool) -> None:
    """Load what is slow to load: in a thread of its own, beside runs that need none of it.

    All that needs it is executed in threads too. Loaded by the event loop, it would keep leases from being renewed.
    """
    page = b"<html><head><title>Hello</title></head><body><main><h1>Hello</h1><p>" + b"A sentence. " * 60
    extract_page(page + b"</p></main></body></html>", "https://example.com/")
    if models:
        for module in ("pydantic_ai.direct", "worker.llm.error_mapping", "worker.llm.providers"):
            importlib.import_module(module)


class WorkerProcess:
    """One worker process, from its first beat to its last hand-over."""

    def __init__(self, settings: Settings, workflows: Workflows = WORKFLOWS) -> None:
        self._settings = settings
        self._workflows = workflows
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()

    async def run(self) -> None:
        """Work until asked to stop; then drain. A second signal does not wait for running steps."""
        gc.freeze()  # what was loaded so far stays
        loop = asyncio.get_running_loop()
        for signal_number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signal_number, self._on_signal)
        async with ending_in_time(), AsyncExitStack() as stack:
            await self._work(stack)

    def _on_signal(self) -> None:
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()

    async def _work(self, stack: AsyncExitStack) -> None:
        settings, identity = self._settings, identify()
        client = connect(settings.redis_url)
        stack.push_async_callback(client.aclose)
        await warn_of_risks(client)
        database = Database(settings.resolved_database_url)
        stack.push_async_callback(database.close)
        archive, epochs, fleet = Archive(database), Epochs(database), Fleet(client)
        log, leases = Log(client, archive), Leases(client, int(settings.lease_seconds * 1000))
        author = await self._author(stack, client)
        reader = await stack.enter_async_context(SiteReader(settings.crawl_allow))

        def resources(minted: Minted) -> Mapping[Any, Any]:
            knowledge = SiteKnowledge(database, Fence(database, holder.hand_over), minted)
            return {Author: author, SiteReader: reader, Settings: settings, SiteKnowledge: knowledge}

        def cache(minted: Minted) -> SqlCache:
            return SqlCache(database, Fence(database, holder.hand_over), minted)

        holder = RunHolder(
            identity, self._workflows, log, leases, epochs, resources, cache,
            capacity=settings.run_concurrency,
        )  # fmt: skip
        queue = open_queue(settings.redis_url, self._workflows.versions)
        stack.push_async_callback(queue.aclose)
        jobs = ArqQueue(queue, holder, self._workflows.versions)
        supervisor = Scheduler(
            identity, self._workflows, holder, leases, epochs, archive, fleet, jobs,
            capacity=settings.run_concurrency, author=author.name,
        )  # fmt: skip
        shipper = Archiver(log, archive, Unshipped(client, settings.log_keep_seconds * 1000))
        warming = asyncio.create_task(asyncio.to_thread(warm_up, models=bool(settings.model)))
        warming.add_done_callback(_note_warmth)
        tasks = [
            asyncio.create_task(supervisor.supervise(), name="supervisor"),
            asyncio.create_task(shipper.ship_forever(), name="shipper"),
            asyncio.create_task(jobs.pick_forever(), name="jobs"),
        ]
        logger.info("worker ready", worker=identity.holder, author=author.name)
        failed = await self._until_stopped(tasks)
        await self._drain(supervisor, jobs, holder)
        await _ship_rest(shipper)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if failed:
            failed.result()  # the process ends with its error, and is started again

    async def _author(self, stack: AsyncExitStack, client: Any) -> Author:
        settings = self._settings
        if not settings.model:
            return ExtractiveAuthor()
        limits = Limits(settings.model_rpm, settings.model_tpm, settings.model_concurrency)
        governor = RateLimiter(client, limits, waiting=lambda _seconds: uncharged())
        gateway = open_gateway(settings, governor, _record_call)
        stack.push_async_callback(gateway.close)
        return ModelAuthor(gateway)

    async def _until_stopped(self, tasks: list[asyncio.Task[None]]) -> asyncio.Task[None] | None:
        """Wait for a signal; gives a task that ended by itself meanwhile, which means that it failed."""
        stop = asyncio.create_task(self._stop.wait())
        await asyncio.wait({stop, *tasks}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        failed = next((task for task in tasks if task.done()), None)
        if failed:
            logger.error("worker failed", task=failed.get_name())
            self._hurry.set()
        return failed

    async def _drain(self, supervisor: Scheduler, jobs: ArqQueue, holder: RunHolder) -> None:
        logger.info("worker draining", runs=len(holder.runs))
        draining = asyncio.create_task(holder.drain(self._settings.drain_seconds))
        hurry = asyncio.create_task(self._hurry.wait())
        hurry.add_done_callback(lambda task: None if task.cancelled() else holder.abort())
        await jobs.leave()
        await supervisor.leave()
        await draining
        hurry.cancel()


def _note_warmth(warming: asyncio.Task[None]) -> None:
    """What could not be loaded fails the steps that need it; here it only stands in the log."""
    if not warming.cancelled() and (error := warming.exception()):
        logger.error("warming up failed", error=str(error))


async def _ship_rest(shipper: Archiver) -> None:
    """What the last moments brought; where that does not work, other workers ship it."""
    try:
        await shipper.ship()
    except (RedisError, SQLAlchemyError, OSError) as error:
        logger.warning("shipping left to others", error=str(error))


async def _record_call(call: ModelCall) -> None:
    spend(
        Called(
            model=call.model,
            kind=call.kind,
            input_tokens=call.input_tokens,
            output_tokens=call.output_tokens,
            cost=call.cost,
            seconds=call.duration,
            error=call.error or "",
        )
    )


def main() -> None:
    settings = Settings()
    if not settings.redis_url:
        raise SystemExit("LONGHAND_REDIS_URL is empty. `longhand up` starts a Redis by itself; a worker needs one.")
    Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(WorkerProcess(settings).run())
