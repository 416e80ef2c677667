"""The commands that a run can take in its state at their place in the log, and the steps that a retry resets."""

from __future__ import annotations

from collections.abc import Iterable

from app.contract import events as e
from app.contract.run_state import RunState
from app.contract.status import OPEN_STEPS, StepStatus

UNDER_WAY = "It is running already, or about to."
"""The objection to a retry of what runs anyway."""


def find_objection(run: RunState, command: e.Command) -> str:
    """Return why this command cannot be taken if it comes next; empty when it can."""
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
            return "" if _idle_steps(run, data.steps) else _object_to_retry(run, data.steps)
    return ""


def steps_to_reset(run: RunState, command: e.CommandRetry) -> list[str]:
    """Return the paths of the steps that this retry runs again, but none that runs already or is about to."""
    return _steps_to_rerun(run, _idle_steps(run, command.data.steps))


def _object_to_retry(run: RunState, steps: list[str]) -> str:
    """Return the objection to a retry that finds nothing to reset, if there is one."""
    pending = _effective_command(run)
    if steps or isinstance(pending, e.CommandRetry):
        return UNDER_WAY
    # A run can be stopped, or fail, while no step is to blame: the retry then resumes the run.
    if isinstance(pending or run.ending, e.CommandCancel | e.RunCancelled | e.RunFailed):
        return ""
    return "Nothing failed in this run."


def _effective_command(run: RunState) -> e.Command | None:
    """Return the newest waiting cancel or retry that can be taken: only this one has an effect."""
    stops = (c for c in reversed([*run.commands.values()]) if not isinstance(c, e.CommandAnswer))
    return next((command for command in stops if command.id not in run.objections), None)


def _idle_steps(run: RunState, steps: list[str]) -> list[str]:
    """Return which of these steps neither run nor are about to. No steps stand for all that failed."""
    named = steps or [step.path for step in run.failed_steps]
    if isinstance(_effective_command(run), e.CommandCancel):
        return named
    return [path for path in named if not _is_under_way(run, path)]


def _is_under_way(run: RunState, path: str) -> bool:
    step = run.steps[path]
    return step.status in OPEN_STEPS or step.generation in run.commands


def _steps_to_rerun(run: RunState, paths: Iterable[str]) -> list[str]:
    """Return the steps that a retry of `paths` runs again: each path, and the failed steps inside it.

    Inside a step that succeeded with all its steps, that is everything: a person wants it done anew.
    """
    targets: dict[str, None] = {}
    for path in paths:
        targets[path] = None
        step, inside = run.steps.get(path), run.below(path)
        failed = [below for below in inside if below.status is StepStatus.FAILED]
        anew = step is not None and step.status is StepStatus.SUCCEEDED and not failed
        targets.update((below.path, None) for below in (inside if anew else failed))
    return list(targets)
