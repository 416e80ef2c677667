"""The fold: a run's state as its log tells it. Pages, the API, resuming workers and SQL's lists all use this one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.contract import events as e
from app.contract.acceptance import find_objection, steps_to_reset
from app.contract.cursors import START
from app.contract.payloads import Ask, ErrorData
from app.contract.status import (
    ENDED,
    OPEN_STEPS,
    RunStatus,
    StepStatus,
    parent_path,
)
from app.contract.step import Attempt, Step
from app.contract.work_time import WorkTime

_OTHERS = (e.CommandCancel, e.CommandRetry, e.CommandAnswer, e.RunStarted, e.RunRecovered, e.Unreadable)
"""What the worker that has been at the run until then did not say."""


@dataclass(slots=True)
class Run:
    """A run after some of its events. `cursor` is the last of them; `changed` the last that changed the run itself.

    `asks` are the questions while the run waits; `asked` those of them that have no answer yet, also while it goes on.
    `objections` say which waiting commands cannot be taken, and why; they had no effect. `ending` is the last end,
    until the run is started again. `setbacks` counts how often in a row a worker stopped answering while it ran this,
    or could not go on: a step that succeeds for the first time, and a retry, begin anew.
    """

    id: str
    workflow: str = ""
    title: str = ""
    input: Any = None
    version: str = ""
    status: RunStatus = RunStatus.QUEUED
    output: Any = None
    error: ErrorData | None = None
    asks: list[Ask] = field(default_factory=list)
    steps: dict[str, Step] = field(default_factory=dict)
    answers: dict[str, e.CommandAnswer] = field(default_factory=dict)
    commands: dict[str, e.Command] = field(default_factory=dict)
    asked: dict[str, Ask] = field(default_factory=dict)
    objections: dict[str, str] = field(default_factory=dict)
    ending: e.Event | None = None
    handled: str = START
    refused: dict[str, str] = field(default_factory=dict)
    unreadable: list[e.Unreadable] = field(default_factory=list)
    passes: int = 0
    setbacks: int = 0
    epoch: int = 0
    holder: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    moved_at: datetime | None = None
    work: WorkTime = field(default_factory=WorkTime)
    reason: str = ""
    tokens: int = 0
    cost: float = 0.0
    cursor: str = START
    changed: str = START
    _inside: dict[str, list[Step]] = field(default_factory=dict)

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def pending(self) -> list[e.Command]:
        """The commands that no worker has applied or refused yet, oldest first."""
        return list(self.commands.values())

    @property
    def cancelling(self) -> bool:
        """Whether a person asked for the run to stop and no worker has answered yet."""
        return any(isinstance(command, e.CommandCancel) for command in self.commands.values())

    @property
    def open_steps(self) -> list[Step]:
        """The steps that have begun and not ended, and have no such step below them: where the run stands."""
        return _innermost(step for step in self.steps.values() if step.status in OPEN_STEPS)

    @property
    def failed_steps(self) -> list[Step]:
        """The failed steps that have no failed step below them: where a retry begins."""
        return _innermost(step for step in self.steps.values() if step.status is StepStatus.FAILED)

    def below(self, path: str) -> list[Step]:
        """The steps inside that one, as they began."""
        return self._inside.get(path, [])

    def apply(self, event: e.Event) -> None:
        """Take one event, in the log's order. An unreadable one is kept aside and changes nothing else."""
        self.cursor = event.id or self.cursor
        self.moved_at = event.at
        self.epoch = max(self.epoch, event.epoch)
        if not isinstance(event, _OTHERS):
            self.work.tell(event.at)
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
                self._step(event).pause(event)
                for step in self.below(event.step):
                    step.forgive()
            case e.StepSkipped():
                self._step(event).skip(event.at)
            case e.ModelCalled():
                self._step(event).note(event)
                self.tokens += event.data.input_tokens + event.data.output_tokens
                self.cost += event.data.cost or 0.0
                self.changed = event.id
            case e.StepOutput() | e.StepMessage() | e.StepProgress() | e.ObjectPublished():
                self._step(event).note(event)
            case e.CommandCancel() | e.CommandRetry() | e.CommandAnswer():
                self._command(event)
            case e.CommandApplied():
                self._handled(event.data.command)
            case e.CommandRefused():
                self.refused[event.data.command] = event.data.reason
                self._handled(event.data.command)
            case e.Unreadable():
                self.unreadable.append(event)
            case _:
                self._run(event)
        if not event.step:
            self.changed = event.id

    def _step(self, event: e.Event) -> Step:
        step = self.steps.get(event.step)
        if step is None:
            step = self.steps[event.step] = Step(path=event.step, born=event.id)
            for path in ancestors(event.step):
                self._inside.setdefault(path, []).append(step)
        step.changed = event.id
        return step

    def _run(self, event: e.Event) -> None:
        match event:
            case e.RunSubmitted(data=data):
                self.workflow, self.title, self.input = data.workflow, data.title, data.input
                self.created_at, self.status = event.at, RunStatus.QUEUED
            case e.RunStarted(data=data):
                self._start(event)
            case e.RunWaiting(data=data):
                self.status, self.asks = RunStatus.WAITING, list(data.asks)
                self.asked = {ask.ask: ask for ask in data.asks}
                self._leave(event, lost=False)
            case e.RunHandedOver(data=data):
                self.status, self.reason = RunStatus.QUEUED, data.reason
                self.setbacks += data.trouble
                self._leave(event, lost=True)
            case e.RunRecovered():
                # A worker that died before it began says nothing about the run.
                self.setbacks += self.status is RunStatus.RUNNING
                self.status, self.reason = RunStatus.QUEUED, "its worker stopped answering"
                self._leave(event, lost=True)
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
        if self.work.begun:  # nobody told of its end: it was lost with Redis
            self._leave(event, lost=True)
        self.work.begin(event.at)

    def _leave(self, event: e.Event, *, lost: bool) -> None:
        """The pass is over and the run is not: its open steps stand still."""
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

    def _command(self, command: e.Command) -> None:
        objection = find_objection(self, command)
        match command:
            case _ if objection:
                self.objections[command.id] = objection
            case e.CommandAnswer(data=data):
                self.answers[data.ask] = command
                self.asked.pop(data.ask, None)
            case e.CommandRetry():
                self.setbacks = 0
                self._reset(command)
        self.commands[command.id] = command
        if self.status is RunStatus.WAITING or self.ended:
            self.status, self.ended_at, self.error = RunStatus.QUEUED, None, None

    def _handled(self, command: str) -> None:
        done = self.commands.pop(command, None)
        self.objections.pop(command, None)
        self.handled = command
        if command in self.refused and isinstance(done, e.CommandAnswer) and self.answers.get(done.data.ask) is done:
            del self.answers[done.data.ask]

    def _reset(self, command: e.CommandRetry) -> None:
        for path in steps_to_reset(self, command):
            step = self.steps.get(path)
            if step:
                step.guidance = command.data.guidance
            while path:
                if step := self.steps.get(path):
                    step.reset(command)
                    step.changed = command.id
                path = parent_path(path)


def _innermost(steps: Iterable[Step]) -> list[Step]:
    found = list(steps)
    above = {path for step in found for path in ancestors(step.path)}
    return [step for step in found if step.path not in above]


def ancestors(path: str) -> Iterator[str]:
    """The paths above one, the nearest first."""
    while path := parent_path(path):
        yield path


def fold(run_id: str, events: Iterable[e.Event]) -> Run:
    """The state of a run after `events`, in the log's order."""
    run = Run(id=run_id)
    for event in events:
        run.apply(event)
    return run


__all__ = ["Attempt", "Run", "Step", "ancestors", "fold"]
