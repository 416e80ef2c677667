"""The worker process: the only place where the compute plane is wired."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import structlog
import uvloop

from app.contract.payloads import Called
from app.contract.settings import Settings
from app.stores.connection import connect
from app.stores.epochs import Epochs, Minted
from app.stores.redis_risks import warn_of_risks
from app.stores.stores import Stores
from worker.agents.author import Author
from worker.agents.extractive_author import ExtractiveAuthor
from worker.agents.model_author import ModelAuthor
from worker.crawl.extract import extract_page
from worker.crawl.site import SiteReader
from worker.engine.archiver import Archiver
from worker.engine.arq_queue import ArqQueue, connect_arq
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.engine.lifecycle import Engine, StopSignals
from worker.engine.scheduler import Scheduler
from worker.engine.shutdown import bounded_shutdown
from worker.engine.site_knowledge import SiteKnowledge
from worker.llm.gateway import open_gateway
from worker.llm.rate_limiter import Limits, RateLimiter
from worker.llm.usage import ModelCall
from worker.runtime import Workflows, spend, uncharged
from worker.workflows import WORKFLOWS

logger = structlog.get_logger()


def main() -> None:
    """Run one worker process with the settings of the environment."""
    settings = Settings()
    if not settings.redis_url:
        raise SystemExit("LONGHAND_REDIS_URL is empty. `longhand up` starts a Redis by itself; a worker needs one.")
    Path(settings.data_dir).mkdir(parents=True, exist_ok=True)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(settings))


async def run_worker(settings: Settings, workflows: Workflows = WORKFLOWS) -> None:
    """Work until SIGTERM or SIGINT, then hand over all runs. A second signal does not wait for running steps."""
    gc.freeze()  # what was loaded so far stays
    signals = StopSignals()
    async with bounded_shutdown(), AsyncExitStack() as stack:
        stores = Stores.connect(settings, connect(settings.redis_url))
        stack.push_async_callback(stores.close)
        await warn_of_risks(stores.redis)
        author = open_author(settings, stores.redis, stack)
        reader = await stack.enter_async_context(SiteReader(settings.crawl_allow))
        arq = connect_arq(settings.redis_url, workflows.versions)
        stack.push_async_callback(arq.aclose)

        def build_resources(minted: Minted, epochs: Epochs) -> Mapping[Any, Any]:
            knowledge = SiteKnowledge(stores.database, epochs, minted)
            return {Author: author, SiteReader: reader, Settings: settings, SiteKnowledge: knowledge}

        identity = identify()
        holder = RunHolder(identity, workflows, stores, build_resources, capacity=settings.run_concurrency)
        queue = ArqQueue(arq, stores, holder, workflows.versions)
        scheduler = Scheduler(identity, workflows, stores, holder, queue, author=author.name)
        engine = Engine(holder, scheduler, queue, Archiver(stores))

        warming = asyncio.create_task(asyncio.to_thread(warm_up, models=bool(settings.model)))
        warming.add_done_callback(log_warm_up_error)
        logger.info("worker ready", worker=identity.holder, author=author.name)
        await engine.run(signals, settings.drain_seconds)


def identify() -> WorkerIdentity:
    """Return a name for this process that no other process has, and the build it runs."""
    build = os.environ.get("LONGHAND_BUILD", "dev")
    return WorkerIdentity(holder=f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}", build=build)


def open_author(settings: Settings, redis: Any, stack: AsyncExitStack) -> Author:
    """Return the author that the settings ask for. The stack closes its connections."""
    if not settings.model:
        return ExtractiveAuthor()
    limits = Limits(settings.model_rpm, settings.model_tpm, settings.model_concurrency)
    rate_limiter = RateLimiter(redis, limits, waiting=lambda _seconds: uncharged())
    gateway = open_gateway(settings, rate_limiter, emit_model_call)
    stack.push_async_callback(gateway.close)
    return ModelAuthor(gateway)


async def emit_model_call(call: ModelCall) -> None:
    """Emit a model call as an event of the step that made it."""
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


def warm_up(*, models: bool) -> None:
    """Load what is slow to load, in a thread, while runs that need none of it are executed.

    Whatever needs it loads it in a thread too: loaded by the event loop, it would keep leases from being renewed.
    """
    page = b"<html><head><title>Hello</title></head><body><main><h1>Hello</h1><p>" + b"A sentence. " * 60
    extract_page(page + b"</p></main></body></html>", "https://example.com/")
    if models:
        for module in ("pydantic_ai.direct", "worker.llm.error_mapping", "worker.llm.providers"):
            importlib.import_module(module)


def log_warm_up_error(warming: asyncio.Task[None]) -> None:
    """Log why `warm_up` failed. The steps that need what it could not load fail by themselves."""
    if not warming.cancelled() and (error := warming.exception()):
        logger.error("warming up failed", error=str(error))
