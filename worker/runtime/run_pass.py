"""`RunPass`: one call of a workflow function, from its input to how the run is released."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any

import structlog
from pydantic import ValidationError

from app.contract import events as e
from app.contract.payloads import Incomplete, Result, WaitingData
from worker.runtime.call import StepCall
from worker.runtime.cancellation import interrupt, normalise_cancellation
from worker.runtime.command_handling import hand_over, wait_for_cancel
from worker.runtime.errors import CancelledInside, WorkflowError, describe_error, mark_source
from worker.runtime.execution import Execution
from worker.runtime.journal import RunRelease
from worker.runtime.scope import enter_scope
from worker.runtime.skipping import unvisited_events
from worker.runtime.values import encode_result
from worker.runtime.workflow import Workflow

logger = structlog.get_logger()


class RunPass:
    """One pass of a run.

    It ends when the function returns or raises, when no branch can run, or when a cancel or the executor interrupts it.
    """

    def __init__(self, workflow: Workflow, execution: Execution) -> None:
        self._workflow = workflow
        self._execution = execution

    async def run(self) -> RunRelease | None:
        """Return how the run is released, or None after a cancel, which is then handled like any other command."""
        workflow = self._workflow
        try:
            value = workflow.input.validate_json(json.dumps(self._execution.run.input))
            root = StepCall(
                self._execution,
                None,
                workflow.name,
                component=workflow.name,
                version=workflow.version,
                arguments={"input": value},
            )
        except (ValidationError, WorkflowError) as error:
            return self._fail(None, error)
        root.begin_attempt()
        return await self._watch(root, value)

    async def _watch(self, root: StepCall, value: Any) -> RunRelease | None:
        execution = self._execution
        function = execution.root_task = asyncio.create_task(self._call_function(root, value))
        stuck = asyncio.create_task(execution.stuck.wait())
        cancel = asyncio.create_task(wait_for_cancel(execution.journal, execution.run.handled))
        tasks = {function, stuck, cancel}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finished, cancelled = function.done(), cancel.done()
        finally:
            await self._end(root, tasks)
        if execution.journal_error is not None:
            raise execution.journal_error
        if finished:
            return self._release_finished(root, function)
        if cancelled:
            cancel.result()  # raises the journal's error when the lease was lost
            return None
        return self._suspend()

    async def _call_function(self, root: StepCall, value: Any) -> Any:
        enter_scope(root.scope)
        try:
            with normalise_cancellation(root.path, root.execution):
                output = self._workflow.output
                return encode_result(output, await self._workflow.function(value), root.path)
        except Exception as error:
            mark_source(error, root.path)
            raise

    async def _end(self, root: StepCall, tasks: Collection[asyncio.Task[Any]]) -> None:
        """Interrupt what still runs. A task that swallows its cancellation is left behind and can write no more."""
        execution = self._execution
        execution.interrupted.update(tasks)
        try:
            if await interrupt(tasks):
                steps = [step.path for step in execution.run.open_steps]
                logger.warning("steps left behind that swallow their cancellation", run=execution.run.id, steps=steps)
        finally:
            if execution.journal_error is None:
                root.flush()
            execution.closed = True

    def _suspend(self) -> RunRelease:
        execution = self._execution
        if execution.draining.is_set():
            return hand_over(execution.epoch, execution.run.handled)
        waiting = e.RunWaiting(epoch=execution.epoch, data=WaitingData(asks=list(execution.asks.values())))
        return RunRelease([waiting], "parked", execution.run.handled)

    def _release_finished(self, root: StepCall, function: asyncio.Task[Any]) -> RunRelease:
        if function.cancelled():
            return self._fail(root, CancelledInside(f"{root.path} cancelled itself."))
        error = function.exception()
        if error is None:
            return self._succeed(root, function.result())
        if isinstance(error, Exception):
            return self._fail(root, error)
        raise error

    def _succeed(self, root: StepCall, output: Any) -> RunRelease:
        execution, epoch = self._execution, self._execution.epoch
        events = self._skip_unvisited(root)
        failed = [step.path for step in execution.run.failed_steps if step.path != root.path]
        attempt = root.scope.attempt
        events.append(e.StepSucceeded(step=root.path, attempt=attempt, epoch=epoch, data=root.success_data()))
        if failed:
            events.append(e.RunIncomplete(epoch=epoch, data=Incomplete(output=output, failed=failed)))
        else:
            events.append(e.RunSucceeded(epoch=epoch, data=Result(output=output)))
        return RunRelease(events, "ended", execution.run.handled)

    def _fail(self, root: StepCall | None, error: BaseException) -> RunRelease:
        epoch = self._execution.epoch
        data = describe_error(error, self._workflow.name)
        events: list[e.Event] = []
        if root:
            events += self._skip_unvisited(root)
            failure = root.failure_data(data)
            events.append(e.StepFailed(step=root.path, attempt=root.scope.attempt, epoch=epoch, data=failure))
        events.append(e.RunFailed(epoch=epoch, data=data))
        return RunRelease(events, "ended", self._execution.run.handled)

    def _skip_unvisited(self, root: StepCall) -> list[e.Event]:
        """Skip the steps that the pass did not call, which are no part of the run's outcome. Return the events, which
        reach the log together with the run's end."""
        run = self._execution.run
        events = unvisited_events(self._execution, [step for step in run.steps.values() if step.path != root.path])
        for event in events:
            run.apply(event)
        return events
