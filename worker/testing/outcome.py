"""The outcome of a run, and where it first differs from the expected one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.contract import events as e
from app.contract.run import Run, Step, fold
from app.contract.status import StepStatus

MOST_SHOWN = 300
"""How many characters of a value a message shows."""


@dataclass(frozen=True)
class Outcome:
    """A run's end, its output, and the text and objects of each step that count."""

    status: str
    output: Any
    steps: Mapping[str, tuple[str, str, Mapping[str, Any]]]

    @classmethod
    def of(cls, run: Run) -> Outcome:
        steps = {}
        for path, step in run.steps.items():
            counts = step.counting if step.status is StepStatus.SUCCEEDED else None
            steps[path] = (step.status.value, counts.text if counts else "", counts.objects if counts else {})
        return cls(run.status.value, run.output, steps)


def find_difference(events: Sequence[e.Event], expected: Sequence[e.Event]) -> list[str]:
    """Return how the outcome of these events differs from the expected one, as problems."""
    run, wanted = fold("", events), fold("", expected)
    if Outcome.of(run) == Outcome.of(wanted):
        return []
    return [
        *_describe_outcome(Outcome.of(run), Outcome.of(wanted)),
        *_describe_first_step(run, expected),
        *_describe_misses(events, expected),
    ]


def _describe_outcome(actual: Outcome, wanted: Outcome) -> Iterator[str]:
    if actual.status != wanted.status:
        yield f"it ended as {actual.status} instead of {wanted.status}"
    elif actual.output != wanted.output:
        yield f"its output is {show(actual.output)} instead of {show(wanted.output)}"
    else:
        for path in sorted({*actual.steps, *wanted.steps}):
            one, other = actual.steps.get(path), wanted.steps.get(path)
            if one != other:
                yield f"{path} (state, text, objects) is {show(one)} instead of {show(other)}"


def _describe_first_step(run: Run, expected: Sequence[e.Event]) -> Iterator[str]:
    """Find the first step that came to something else than undisturbed, and steps that only this run has."""
    for event in expected:
        if event.step and (difference := _compare_step(run.steps.get(event.step), event)):
            yield f"the first step that differs is {event.step}: {difference}"
            break
    known = {event.step for event in expected}
    if new := [path for path in run.steps if path not in known]:
        yield f"the undisturbed run has no step {', '.join(new)}"


def _compare_step(step: Step | None, event: e.Event) -> str:
    if step is None or (step.status is StepStatus.SKIPPED and isinstance(event, e.StepSucceeded | e.StepFailed)):
        return "the run did not come to it"
    match event:
        case e.StepStarted(data=begun) if step.counting:
            inputs = step.counting.begun.inputs
            if changed := [name for name in {**begun.inputs, **inputs} if begun.inputs.get(name) != inputs.get(name)]:
                return f"changed: {', '.join(changed)} (its inputs come from what is above it)"
        case e.StepSucceeded(data=done):
            result = step.succeeded.result if step.succeeded else None
            if step.succeeded is None and step.error:
                return f"it failed: {step.error.kind}: {step.error.message}"
            if result != done.result:
                return f"its result is {show(result)} instead of {show(done.result)}, from the same inputs"
        case e.StepFailed() if step.status is StepStatus.SUCCEEDED:
            return "it succeeded instead of failing"
    return ""


def _describe_misses(events: Sequence[e.Event], expected: Sequence[e.Event]) -> Iterator[str]:
    usual = {(path, miss) for path, _, miss in _misses(expected)}
    for path, attempt, miss in _misses(events):
        if (path, miss) not in usual:
            yield f"attempt {attempt} of {path} could not use what was remembered: {miss}"


def _misses(events: Sequence[e.Event]) -> Iterator[tuple[str, int, str]]:
    for event in events:
        if isinstance(event, e.StepStarted) and event.data.miss:
            yield event.step, event.attempt, event.data.miss


def show(value: Any) -> str:
    """Return the value as messages show it, cut to `MOST_SHOWN` characters."""
    text = repr(value)
    return text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + "…"


def show_event(event: e.Event) -> str:
    """Return an event's name in messages: `step.started of mail/send:ada`."""
    return f"{event.type} of {event.step}" if event.step else event.type


def show_last(events: Sequence[e.Event]) -> str:
    """Return the last ten events of a log, one a line."""
    return "\n".join(f"  {event.id} {show_event(event)}{_detail(event)}" for event in events[-10:])


def _detail(event: e.Event) -> str:
    match event:
        case e.StepMessage(data=data):
            return f": {data.text}"
        case e.RunWaiting(data=data):
            return f" for {', '.join(ask.name for ask in data.asks)}"
        case e.StepFailed(data=failed):
            return f": {failed.error.message}"
        case e.StepRetrying(data=retrying):
            return f": {retrying.error.message}"
    return ""
