"""What must hold of every log, however often its workers died."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from app.contract import events as e
from app.contract.cursors import is_after
from app.contract.run import fold
from app.contract.status import StepStatus
from app.contract.step_paths import ancestor_paths

ENDS = (e.RunSucceeded, e.RunIncomplete, e.RunFailed, e.RunCancelled)
COMMANDS = (e.CommandCancel, e.CommandRetry, e.CommandAnswer)


@dataclass
class _Seen:
    """One step's history so far."""

    attempt: int = 0
    written: int = 0
    over: bool = False
    began: int = 0
    succeeded: set[str] = field(default_factory=set)


def check_log(events: Sequence[e.Event]) -> list[str]:
    """What is wrong with a run's whole log; nothing, when all is well.

    Every event stands there once. One epoch follows the other. Attempts only rise; what succeeded is not started again,
    nor what still runs in the same pass; no fact comes from an attempt that is over, and no text is missing or doubled
    within one. There is one end at a time, after which only a command makes the log go on.
    """
    return [*_check_order(events), *_check_steps(events), *_check_ends(events)]


def count_restarts(events: Iterable[e.Event]) -> int:
    """How often a step was started that had succeeded with the same fingerprint before."""
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
    steps: dict[str, _Seen] = {}
    pass_began = 0
    for place, event in enumerate(events):
        if isinstance(event, e.RunStarted):
            pass_began = place
        if not event.step or isinstance(event, e.StepSkipped):
            continue
        seen = steps.setdefault(event.step, _Seen())
        if isinstance(event, e.StepStarted):
            outer = [steps[path].began for path in ancestor_paths(event.step) if path in steps]
            if seen.attempt and not seen.over and seen.began > max(pass_began, *outer, 0):
                yield f"{event.id}: {event.step} was started again while attempt {seen.attempt} of it ran"
            yield from _begin(seen, event)
            seen.began = place
        else:
            yield from _go_on(seen, event)


def _begin(seen: _Seen, event: e.StepStarted) -> Iterator[str]:
    if event.attempt <= seen.attempt:
        yield f"{event.id}: attempt {event.attempt} of {event.step} follows attempt {seen.attempt}"
    if event.data.fingerprint in seen.succeeded:
        yield f"{event.id}: {event.step} had succeeded, and was started again"
    seen.attempt, seen.written, seen.over = event.attempt, 0, False


def _go_on(seen: _Seen, event: e.Event) -> Iterator[str]:
    if event.attempt != seen.attempt:
        yield f"{event.id}: {event.type} of attempt {event.attempt} of {event.step}, which is at attempt {seen.attempt}"
    if seen.over:
        yield f"{event.id}: {event.type} of {event.step} after the attempt was over"
    match event:
        case e.StepOutput(data=data):
            if data.offset != seen.written:
                yield f"{event.id}: text of {event.step} at {data.offset}, where {seen.written} was next"
            seen.written = data.offset + len(data.text)
        case e.StepSucceeded(data=data):
            # The root step succeeds with the run, and is what a retry starts again.
            if "/" in event.step:
                seen.succeeded.add(data.fingerprint)
            seen.over = True
        case e.StepFailed() | e.StepRetrying():
            seen.over = True


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
