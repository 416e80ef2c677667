"""Which commands a run can take, by its state at their place in the log, and which steps a retry concerns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from app.contract import events as e
from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Step

UNDER_WAY = "It is running already, or about to."
"""Why a retry cannot be taken that asks for what happens anyway."""


class RunState(Protocol):
    """The fold of a run, as far as it decides which commands can be taken."""

    @property
    def steps(self) -> Mapping[str, Step]: ...
    @property
    def commands(self) -> Mapping[str, e.Command]: ...
    @property
    def objections(self) -> Mapping[str, str]: ...
    @property
    def answers(self) -> Mapping[str, e.CommandAnswer]: ...
    @property
    def asked(self) -> Mapping[str, object]: ...
    @property
    def ending(self) -> e.Event | None: ...
    @property
    def failed_steps(self) -> Sequence[Step]: ...
    def below(self, path: str) -> Sequence[Step]: ...


def find_objection(run: RunState, command: e.Command) -> str:
    """Why this command cannot be taken if it comes next, or nothing."""
    match command:
        case e.CommandAnswer(data=data):
            if data.ask in run.answers:
                return "It was answered before."
            if data.ask not in run.asked:
                return "The run no longer asks this."
        case e.CommandRetry(data=data):
            unknown = [path for path in data.steps if path not in run.steps]
            if unknown:
                return f"There is no step {unknown[0]}."
            return "" if _idle(run, data.steps) else _object_to_retry(run, data.steps)
    return ""


def steps_to_reset(run: RunState, command: e.CommandRetry) -> list[str]:
    """The paths of the steps that this retry runs again, of those that neither run nor are about to."""
    return _targets(run, _idle(run, command.data.steps))


def _object_to_retry(run: RunState, steps: list[str]) -> str:
    """What is to be said of a retry that finds nothing to reset."""
    turn = _turn(run)
    if steps or isinstance(turn, e.CommandRetry):
        return UNDER_WAY
    # A run can be stopped, or fail, while no step is to blame; going on with it is then the retry.
    if isinstance(turn or run.ending, e.CommandCancel | e.RunCancelled | e.RunFailed):
        return ""
    return "Nothing failed in this run."


def _turn(run: RunState) -> e.Command | None:
    """Of the waiting cancels and retries the newest that can be taken: the one that counts."""
    stops = (c for c in reversed([*run.commands.values()]) if not isinstance(c, e.CommandAnswer))
    return next((command for command in stops if command.id not in run.objections), None)


def _idle(run: RunState, steps: list[str]) -> list[str]:
    """Those of these steps (of none: of all that failed) that neither run nor are about to."""
    named = steps or [step.path for step in run.failed_steps]
    if isinstance(_turn(run), e.CommandCancel):
        return named
    return [path for path in named if not _is_under_way(run, path)]


def _is_under_way(run: RunState, path: str) -> bool:
    step = run.steps[path]
    return step.status in OPEN_STEPS or step.generation in run.commands


def _targets(run: RunState, paths: Iterable[str]) -> list[str]:
    """The steps that a retry of `paths` runs again: each path, and inside it what failed.

    Inside one that succeeded with all that is in it, that is everything: a person wants it done anew.
    """
    targets: dict[str, None] = {}
    for path in paths:
        targets[path] = None
        step, inside = run.steps.get(path), run.below(path)
        failed = [below for below in inside if below.status is StepStatus.FAILED]
        anew = step is not None and step.status is StepStatus.SUCCEEDED and not failed
        targets.update((below.path, None) for below in (inside if anew else failed))
    return list(targets)
