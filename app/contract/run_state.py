"""The state of a run: the fields that its fold fills, and questions about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.contract import events as e
from app.contract.cursors import START
from app.contract.payloads import Ask, ErrorData
from app.contract.status import ENDED, OPEN_STEPS, RunStatus, StepStatus
from app.contract.step import Step
from app.contract.step_paths import ancestor_paths
from app.contract.work_time import WorkTime


@dataclass(slots=True)
class RunState:
    """A run after some of its events. `cursor` is the last of them; `changed` the last that changed the run itself.

    `asks` are the questions while the run waits; `asked` are those of them that have no answer yet, also while the run
    goes on. `commands` are those that no worker has applied or refused yet. `objections` say which of them cannot be
    taken, and why; they had no effect. `ending` is the last end, until the run is started again. `setbacks` counts how
    often in a row a worker stopped answering while it ran this, or could not go on; a step that succeeds for the first
    time, and a retry, set it to 0.
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
        """Return whether a person asked for the run to stop and no worker has answered yet."""
        return any(isinstance(command, e.CommandCancel) for command in self.commands.values())

    @property
    def open_steps(self) -> list[Step]:
        """The innermost steps that have begun and not ended: where the run stands."""
        return _innermost(step for step in self.steps.values() if step.status in OPEN_STEPS)

    @property
    def failed_steps(self) -> list[Step]:
        """The innermost failed steps: where a retry begins."""
        return _innermost(step for step in self.steps.values() if step.status is StepStatus.FAILED)

    def below(self, path: str) -> list[Step]:
        """Return the steps inside the step at `path`, in the order in which they first began."""
        return self._inside.get(path, [])

    def add_step(self, path: str, cursor: str) -> Step:
        """Add a step whose first event stands at `cursor`."""
        step = self.steps[path] = Step(path=path, born=cursor)
        self.link_step(step)
        return step

    def link_step(self, step: Step) -> None:
        """Let `below` find the step."""
        for path in ancestor_paths(step.path):
            self._inside.setdefault(path, []).append(step)


def _innermost(steps: Iterable[Step]) -> list[Step]:
    found = list(steps)
    above = {path for step in found for path in ancestor_paths(step.path)}
    return [step for step in found if step.path not in above]
