"""Invariants: what must hold of every log, however often its workers were killed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.contract import events as e
from app.contract.cursors import is_after
from app.contract.run import ancestors, fold
from app.contract.status import StepStatus

ENDS = (e.RunSucceeded, e.RunIncomplete, e.RunFailed, e.RunCancelled)
COMMANDS = (e.CommandCancel, e.CommandRetry, e.CommandAnswer)


@dataclass
class _StepHistory:
    """One step's events so far: its newest attempt, the length of its text, and where in the log it began."""

    attempt: int = 0
    written: int = 0
    over: bool = False
    began: int = 0
    succeeded: set[str] = field(default_factory=set)


def check_log(events: Sequence[e.Event]) -> list[str]:
    """Return what is wrong with a run's whole log, as problems.

    Every event stands there once. One epoch follows the other. Attempts only rise; what succeeded is not started again,
    nor what still runs in the same pass; no fact comes from an attempt that is over, and no text is missing or doubled
    within one. There is one end at a time, and after it the next event is a command.
    """
    return [*_check_order(events), *_check_steps(events), *_check_ends(events)]


def count_restarts(events: Iterable[e.Event]) -> int:
    """Return how often a step was started that had succeeded with the same fingerprint before."""
    return sum("was started again" in problem for problem in _check_steps(list(events)))


def _check_order(events: Sequence[e.Event]) -> Iterator[str]:
    if not events or not isinstance(events[0], e.RunSubmitted):
        yield "the log does not begin with run.submitted"
    epoch = 0
    for before, event in pairwise(events):
        if not is_after(event.id, before.id):
            yield f"{event.id} {event.type} stands after {before.id}"
        if isinstance(event, e.RunSubmitted):
            yield f"{event.id}: the run was submitted again"
        if isinstance(event, e.Unreadable):
            yield f"{event.id} cannot be read: {event.reason}"
        if event.epoch and event.epoch < epoch:
            yield f"{event.id} {event.type} is of epoch {event.epoch}, after epoch {epoch}"
        epoch = max(epoch, event.epoch)


def _check_steps(events: Sequence[e.Event]) -> Iterator[str]:
    steps: dict[str, _StepHistory] = {}
    pass_began = 0
    for index, event in enumerate(events):
        if isinstance(event, e.RunStarted):
            pass_began = index
        if not event.step or isinstance(event, e.StepSkipped):
            continue
        step = steps.setdefault(event.step, _StepHistory())
        if isinstance(event, e.StepStarted):
            outer = [steps[path].began for path in ancestors(event.step) if path in steps]
            if step.attempt and not step.over and step.began > max(pass_began, *outer, 0):
                yield f"{event.id}: {event.step} was started again while attempt {step.attempt} of it ran"
            yield from _check_start(step, event)
            step.began = index
        else:
            yield from _check_fact(step, event)


def _check_start(step: _StepHistory, event: e.StepStarted) -> Iterator[str]:
    if event.attempt <= step.attempt:
        yield f"{event.id}: attempt {event.attempt} of {event.step} follows attempt {step.attempt}"
    if event.data.fingerprint in step.succeeded:
        yield f"{event.id}: {event.step} had succeeded, and was started again"
    step.attempt, step.written, step.over = event.attempt, 0, False


def _check_fact(step: _StepHistory, event: e.Event) -> Iterator[str]:
    if event.attempt != step.attempt:
        yield f"{event.id}: {event.type} of attempt {event.attempt} of {event.step}, which is at attempt {step.attempt}"
    if step.over:
        yield f"{event.id}: {event.type} of {event.step} after the attempt was over"
    match event:
        case e.StepOutput(data=data):
            if data.offset != step.written:
                yield f"{event.id}: text of {event.step} at {data.offset}, where {step.written} was next"
            step.written = data.offset + len(data.text)
        case e.StepSucceeded(data=data):
            # The root step succeeds with the run, and is what a retry starts again.
            if "/" in event.step:
                step.succeeded.add(data.fingerprint)
            step.over = True
        case e.StepFailed() | e.StepRetrying():
            step.over = True


def _check_ends(events: Sequence[e.Event]) -> Iterator[str]:
    ended = False
    for event in events:
        if isinstance(event, COMMANDS):
            ended = False
        elif ended:
            yield f"{event.id}: {event.type} after the end"
        if isinstance(event, ENDS):
            ended = True
    if ended:
        run = fold("", events)
        for step in run.steps.values():
            if step.status in (StepStatus.RUNNING, StepStatus.RETRYING):
                yield f"{step.path} is still {step.status} in an ended run"
