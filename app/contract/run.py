"""The fold: a run's state as its log says. Pages, the API, resuming workers and SQL's lists all use this one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from app.contract import events as e
from app.contract.acceptance import find_objection, steps_to_reset
from app.contract.run_state import RunState
from app.contract.status import OPEN_STEPS, RunStatus
from app.contract.step import Step
from app.contract.step_paths import ancestor_paths

_NOT_BY_HOLDER = (e.CommandCancel, e.CommandRetry, e.CommandAnswer, e.RunStarted, e.RunRecovered, e.Unreadable)
"""Events that show no work of the worker that has held the run until then."""


@dataclass(slots=True)
class Run(RunState):
    """A run's state that grows with its log."""

    def apply(self, event: e.Event) -> None:
        """Apply one event, in the log's order. An unreadable one is listed and changes nothing else."""
        self.cursor = event.id or self.cursor
        self.moved_at = event.at
        self.epoch = max(self.epoch, event.epoch)
        if not isinstance(event, _NOT_BY_HOLDER):
            self.work.extend(event.at)
        match event:
            case e.StepStarted():
                self._step(event).begin(event)
            case e.StepSucceeded():
                step = self._step(event)
                self.setbacks = self.setbacks if step.succeeded else 0
                step.succeed(event)
            case e.StepFailed():
                self._step(event).fail(event)
            case e.StepRetrying():
                self._step(event).retry(event)
                for step in self.below(event.step):
                    step.clear_failures()
            case e.StepSkipped():
                self._step(event).skip(event.at)
            case e.ModelCalled():
                self._step(event).report(event)
                self.tokens += event.data.input_tokens + event.data.output_tokens
                self.cost += event.data.cost or 0.0
                self.changed = event.id
            case e.StepOutput() | e.StepMessage() | e.StepProgress() | e.ObjectPublished():
                self._step(event).report(event)
            case e.CommandCancel() | e.CommandRetry() | e.CommandAnswer():
                self._add_command(event)
            case e.CommandApplied():
                self._close_command(event.data.command)
            case e.CommandRefused():
                self.refused[event.data.command] = event.data.reason
                self._close_command(event.data.command)
            case e.Unreadable():
                self.unreadable.append(event)
            case _:
                self._apply_to_run(event)
        if not event.step:
            self.changed = event.id

    def _step(self, event: e.Event) -> Step:
        step = self.steps.get(event.step) or self.add_step(event.step, event.id)
        step.changed = event.id
        return step

    def _apply_to_run(self, event: e.Event) -> None:
        match event:
            case e.RunSubmitted(data=data):
                self.workflow, self.title, self.input = data.workflow, data.title, data.input
                self.created_at, self.status = event.at, RunStatus.QUEUED
            case e.RunStarted(data=data):
                self._start(event)
            case e.RunWaiting(data=data):
                self.status, self.asks = RunStatus.WAITING, list(data.asks)
                self.asked = {ask.ask: ask for ask in data.asks}
                self._end_pass(event, lost=False)
            case e.RunHandedOver(data=data):
                self.status, self.reason = RunStatus.QUEUED, data.reason
                self.setbacks += data.trouble
                self._end_pass(event, lost=True)
            case e.RunRecovered():
                # The death of a worker that had not begun shows nothing about the run.
                self.setbacks += self.status is RunStatus.RUNNING
                self.status, self.reason = RunStatus.QUEUED, "its worker stopped answering"
                self._end_pass(event, lost=True)
            case e.RunSucceeded(data=data):
                self.output = data.output
                self._end(event, RunStatus.SUCCEEDED)
            case e.RunIncomplete(data=data):
                self.output = data.output
                self._end(event, RunStatus.INCOMPLETE)
            case e.RunFailed(data=data):
                self.error = data
                self._end(event, RunStatus.FAILED)
            case e.RunCancelled():
                self._end(event, RunStatus.CANCELLED)

    def _start(self, event: e.RunStarted) -> None:
        self.status, self.error, self.asks, self.reason = RunStatus.RUNNING, None, [], ""
        self.version, self.holder, self.passes = event.data.version, event.data.holder, event.data.number
        self.started_at = self.started_at or event.at
        self.ended_at = self.ending = None
        if self.work.begun:  # the end of the pass before was lost with Redis
            self._end_pass(event, lost=True)
        self.work.begin(event.at)

    def _end_pass(self, event: e.Event, *, lost: bool) -> None:
        """End the pass over the workflow, and not the run: no worker is at its open steps any more."""
        self.work.end()
        for step in self.steps.values():
            if step.status in OPEN_STEPS and step.leave(self.work.told or event.at, lost=lost):
                step.changed = event.id

    def _end(self, event: e.Event, status: RunStatus) -> None:
        self.status, self.ended_at, self.asks, self.asked = status, event.at, [], {}
        self.ending = event
        self.work.end()
        for step in self.steps.values():
            if step.status in OPEN_STEPS:
                step.close(event.at)
                step.changed = event.id

    def _add_command(self, command: e.Command) -> None:
        objection = find_objection(self, command)
        match command:
            case _ if objection:
                self.objections[command.id] = objection
            case e.CommandAnswer(data=data):
                self.answers[data.ask] = command
                self.asked.pop(data.ask, None)
            case e.CommandRetry():
                self.setbacks = 0
                self._reset_steps(command)
        self.commands[command.id] = command
        if self.status is RunStatus.WAITING or self.ended:
            self.status, self.ended_at, self.error = RunStatus.QUEUED, None, None

    def _close_command(self, cursor: str) -> None:
        """Close a command that a worker has applied or refused. An answer that was refused is taken back."""
        command = self.commands.pop(cursor, None)
        self.objections.pop(cursor, None)
        self.handled = cursor
        match command:
            case e.CommandAnswer(data=data) if cursor in self.refused and self.answers.get(data.ask) is command:
                del self.answers[data.ask]

    def _reset_steps(self, command: e.CommandRetry) -> None:
        for path in steps_to_reset(self, command):
            if step := self.steps.get(path):
                step.guidance = command.data.guidance
            for above in filter(None, (path, *ancestor_paths(path))):
                if step := self.steps.get(above):
                    step.reset(command)
                    step.changed = command.id


def fold(run_id: str, events: Iterable[e.Event]) -> Run:
    """Return the state of a run after `events`, in the log's order."""
    run = Run(id=run_id)
    for event in events:
        run.apply(event)
    return run
