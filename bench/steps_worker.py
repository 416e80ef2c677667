"""A worker process like any other, but for its one workflow: `python -m bench.steps_worker`."""

from __future__ import annotations

import asyncio
import logging

import structlog
import uvloop

from app.contract.settings import Settings
from bench.noop import WORKFLOWS
from worker.main import run_worker

if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(Settings(), WORKFLOWS))
