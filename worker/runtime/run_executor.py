"""`RunExecutor`: takes a run from where its log stands to an end, a wait, or another worker."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from app.contract import events as e
from app.contract.cursors import START
from app.contract.errors import CommandPending
from app.contract.payloads import Started
from app.contract.run import Run
from worker.runtime.command_handling import handle_commands
from worker.runtime.crash_limit import find_crash_error
from worker.runtime.execution import Execution, ResultCache
from worker.runtime.journal import Journal, Release, RunRelease
from worker.runtime.run_pass import RunPass
from worker.runtime.workflow import Workflow


class RunExecutor:
    """Executes one workflow's passes for one epoch of one run.

    A command that came during a pass is handled at its end, in the same order as it stands in the log; a cancel
    interrupts the pass at once.
    """

    def __init__(
        self,
        workflow: Workflow,
        journal: Journal,
        *,
        epoch: int = 1,
        workspace_id: str = "",
        build: str = "",
        holder: str = "",
        resources: Mapping[Any, Any] | None = None,
        cache: ResultCache | None = None,
    ) -> None:
        self._workflow = workflow
        self._journal = journal
        self._epoch = epoch
        self._build = build
        self._holder = holder
        self._create_execution = partial(
            Execution, journal=journal, epoch=epoch, workspace_id=workspace_id, resources=resources, cache=cache
        )
        self._execution: Execution | None = None
        self._draining = False

    async def execute(self) -> Release:
        """Execute passes until the run is released; return how. Raise `StaleEpoch` when another epoch holds the run."""
        newest = START
        while True:
            run = await self._journal.fold()
            release = handle_commands(run, newest, self._journal, self._epoch, draining=self._draining)
            release = release or self._end_after_crashes(run) or await self._execute_pass(run)
            if release is None:
                continue
            try:
                await self._journal.release(release.events, release.how, release.handled)
            except CommandPending as pending:
                newest = pending.newest
                continue
            return release.how

    def drain(self) -> None:
        """Begin no further step; hand the run over when the running ones are done."""
        self._draining = True
        if self._execution:
            self._execution.draining.set()

    def abort(self) -> None:
        """Interrupt the running steps, and hand the run over."""
        self.drain()
        if self._execution:
            self._execution.stuck.set()

    def _end_after_crashes(self, run: Run) -> RunRelease | None:
        error = find_crash_error(run)
        return RunRelease([e.RunFailed(epoch=self._epoch, data=error)], "ended", run.handled) if error else None

    async def _execute_pass(self, run: Run) -> RunRelease | None:
        execution = self._execution = self._create_execution(run)
        started = Started(
            workflow=self._workflow.name,
            version=self._workflow.version,
            build=self._build,
            holder=self._holder,
            number=run.passes + 1,
        )
        execution.emit(e.RunStarted(epoch=self._epoch, data=started))
        try:
            return await RunPass(self._workflow, execution).run()
        finally:
            self._execution = None
