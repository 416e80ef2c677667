"""The conductor: takes a run from where its log stands to an end, a wait, or a handing over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog
from pydantic import ValidationError

from app.contract import events as e
from app.contract.cursors import START, is_after
from app.contract.errors import CommandPending
from app.contract.payloads import (
    Applied,
    HandedOver,
    Incomplete,
    Refused,
    Result,
    Skipped,
    Started,
    WaitingData,
)
from app.contract.run import Run
from app.contract.status import RunStatus, StepStatus
from worker.runtime.call import StepCall
from worker.runtime.cancellation import interrupt, normalise_cancellation
from worker.runtime.crash_limit import find_crash_error
from worker.runtime.errors import CancelledInside, WorkflowError, describe_error, mark_source
from worker.runtime.execution import Execution, ResultCache
from worker.runtime.journal import Journal, Release
from worker.runtime.scope import enter_scope
from worker.runtime.skipping import NO_LONGER
from worker.runtime.values import encode_result
from worker.runtime.workflow import Workflow

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Closing:
    """How the run is let go, the events that say so, and the newest command that they take into account."""

    events: list[e.Event]
    how: Release
    handled: str


class RunExecutor:
    """Runs one workflow's passes for one epoch of one run.

    A pass ends when the function returns or raises, when no branch can move, or when it is interrupted. A command that
    came during a pass is handled at its end, in the same order as it stands in the log; a cancel interrupts at once.
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
        self._workspace_id = workspace_id
        self._build = build
        self._holder = holder
        self._resources = resources
        self._cache = cache
        self._execution: Execution | None = None
        self._pass: asyncio.Task[Any] | None = None
        self._draining = False

    async def conduct(self) -> Release:
        """Go on with the run until it is let go; gives how. Raises `StaleEpoch` when another epoch has it."""
        newest = START
        while True:
            run = await self._journal.fold()
            closing = self._handle_commands(run, newest) or self._give_up(run) or await self._run_pass(run)
            if closing is None:
                continue
            try:
                await self._journal.release(closing.events, closing.how, closing.handled)
            except CommandPending as pending:
                newest = pending.newest
                continue
            return closing.how

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

    def _fact(self, kind: Any, data: Any = None, step: str = "", attempt: int = 0) -> Any:
        given = {} if data is None else {"data": data}
        return kind(step=step, attempt=attempt, epoch=self._epoch, **given)

    def _handle_commands(self, run: Run, newest: str) -> Closing | None:
        """Answer every waiting command with a fact; gives how the run is let go when there is nothing more to do.

        A cancel and the end it brings are one append, so that dying between them cannot lose it. `newest` is the
        command for which the log refused to let go: if the fold does not have it, this version cannot read it.
        """
        accepted = [command for command in run.pending if command.id not in run.objections]
        facts = [self._judgement(command.id, run.objections.get(command.id, "")) for command in run.pending]
        handled = run.pending[-1].id if run.pending else run.handled
        if is_after(newest, handled):
            facts.append(self._judgement(newest, "This version cannot read it."))
            handled = newest
        stops = [command for command in accepted if isinstance(command, e.CommandCancel | e.CommandRetry)]
        if stops and isinstance(stops[-1], e.CommandCancel):
            return Closing([*facts, self._fact(e.RunCancelled)], "ended", handled)
        if run.ending and not accepted:  # what was refused leaves the end as it was
            again = [] if run.ended else [run.ending.model_copy(update={"id": "", "at": e.now(), "epoch": self._epoch})]
            return Closing([*facts, *again], "ended", handled)
        if run.status is RunStatus.WAITING:
            return Closing(facts, "parked", handled)
        if self._draining:
            return Closing([*facts, self._handed_over()], "queued", handled)
        for fact in facts:
            self._journal.emit(fact)
            run.apply(fact)
        return None

    def _give_up(self, run: Run) -> Closing | None:
        error = find_crash_error(run)
        return Closing([self._fact(e.RunFailed, error)], "ended", run.handled) if error else None

    def _judgement(self, command: str, objection: str) -> e.Event:
        if objection:
            return cast(e.Event, self._fact(e.CommandRefused, Refused(command=command, reason=objection)))
        return cast(e.Event, self._fact(e.CommandApplied, Applied(command=command)))

    def _handed_over(self) -> e.Event:
        return cast(e.Event, self._fact(e.RunHandedOver, HandedOver(reason="its worker is being replaced")))

    async def _run_pass(self, run: Run) -> Closing | None:
        """One pass; None when it was interrupted for a cancel, which is then handled like any command."""
        execution = Execution(
            run,
            self._journal,
            epoch=self._epoch,
            workspace_id=self._workspace_id,
            resources=self._resources,
            cache=self._cache,
        )
        self._execution = execution
        started = Started(
            workflow=self._workflow.name,
            version=self._workflow.version,
            build=self._build,
            holder=self._holder,
            number=run.passes + 1,
        )
        execution.emit(self._fact(e.RunStarted, started))
        try:
            value = self._workflow.input.validate_json(json.dumps(run.input))
            root = self._root(execution, value)
        except (ValidationError, WorkflowError) as error:
            return self._failed(execution, None, error)
        root.begin()
        return await self._watch(execution, root, value)

    def _root(self, execution: Execution, value: Any) -> StepCall:
        workflow = self._workflow
        return StepCall(
            execution,
            None,
            workflow.name,
            component=workflow.name,
            version=workflow.version,
            arguments={"input": value},
        )

    async def _watch(self, execution: Execution, root: StepCall, value: Any) -> Closing | None:
        self._pass = execution.main = asyncio.create_task(self._call(root, value))
        stuck = asyncio.create_task(execution.stuck.wait())
        cancel = asyncio.create_task(self._wait_for_cancel(execution.run.handled))
        watching = {self._pass, stuck, cancel}
        try:
            await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            finished, cancelled = self._pass.done(), cancel.done()
        finally:
            await self._end_pass(execution, root, watching)
        if execution.lost is not None:
            raise execution.lost
        if finished:
            return self._closing(execution, root, self._pass)
        if cancelled:
            cancel.result()  # a lost lease is raised here
            return None
        return self._suspended(execution)

    async def _end_pass(self, execution: Execution, root: StepCall, watching: Collection[asyncio.Task[Any]]) -> None:
        """Interrupt what still runs. What resists is left behind: it can write nothing more."""
        execution.interrupted.update(watching)
        try:
            if await interrupt(watching):
                steps = [step.path for step in execution.run.open_steps]
                logger.warning("steps left behind that swallow their cancellation", run=execution.run.id, steps=steps)
        finally:
            if execution.lost is None:
                root.flush()
            execution.over = True
            self._execution = None

    async def _call(self, root: StepCall, value: Any) -> Any:
        enter_scope(root.scope)
        try:
            with normalise_cancellation(root.path, root.execution):
                output = self._workflow.output
                return encode_result(output, await self._workflow.function(value), root.path)
        except Exception as error:
            mark_source(error, root.path)
            raise

    async def _wait_for_cancel(self, handled: str) -> None:
        """Return when the log holds a cancel that is not handled. Raises what the journal raises."""
        while True:
            await self._journal.next_command(handled)
            commands = await self._journal.commands(handled)
            if any(isinstance(command, e.CommandCancel) for command in commands):
                return
            if commands:
                handled = commands[-1].id
                continue
            # This version cannot read the command that came: look beyond it, at all that stands in the log by now.
            run = await self._journal.fold()
            if run.cancelling:
                return
            handled = run.cursor

    def _suspended(self, execution: Execution) -> Closing:
        if execution.draining.is_set():
            return Closing([self._handed_over()], "queued", execution.run.handled)
        waiting = self._fact(e.RunWaiting, WaitingData(asks=list(execution.asks.values())))
        return Closing([waiting], "parked", execution.run.handled)

    def _closing(self, execution: Execution, root: StepCall, done: asyncio.Task[Any]) -> Closing:
        if done.cancelled():
            return self._failed(execution, root, CancelledInside(f"{root.path} cancelled itself."))
        error = done.exception()
        if error is None:
            return self._finished(execution, root, done.result())
        if isinstance(error, Exception):
            return self._failed(execution, root, error)
        raise error

    def _finished(self, execution: Execution, root: StepCall, output: Any) -> Closing:
        events = self._skipped(execution, root)
        failed = [step.path for step in execution.run.failed_steps if step.path != root.path]
        events.append(self._fact(e.StepSucceeded, root.done(), root.path, root.scope.attempt))
        if failed:
            events.append(self._fact(e.RunIncomplete, Incomplete(output=output, failed=failed)))
        else:
            events.append(self._fact(e.RunSucceeded, Result(output=output)))
        return Closing(events, "ended", execution.run.handled)

    def _failed(self, execution: Execution, root: StepCall | None, error: BaseException) -> Closing:
        data = describe_error(error, self._workflow.name)
        events: list[e.Event] = []
        if root:
            events += self._skipped(execution, root)
            events.append(self._fact(e.StepFailed, root.failed(data), root.path, root.scope.attempt))
        events.append(self._fact(e.RunFailed, data))
        return Closing(events, "ended", execution.run.handled)

    def _skipped(self, execution: Execution, root: StepCall) -> list[e.Event]:
        """What the pass did not come to is no part of the run's outcome any more."""
        events: list[e.Event] = []
        for step in execution.unvisited(list(execution.run.steps.values())):
            if step.path != root.path and step.status is not StepStatus.SKIPPED:
                events.append(self._fact(e.StepSkipped, Skipped(reason=NO_LONGER), step.path))
                execution.run.apply(events[-1])
        return events
