"""Effects: what components do to the world outside, and whether they did it again after a kill.

A step's success and its effects are not one append. So an effect may happen again when its step was interrupted before
it succeeded (at least once); when the step had succeeded, it must not.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from app.contract import events as e
from worker.runtime.in_memory import MemoryLog
from worker.runtime.scope import current_scope
from worker.testing.failing_journal import FailingJournal

NOT_ATOMIC = (
    "The effect and the step's success are not one thing: a worker that dies between them leaves an effect that no log "
    "remembers. Give the other side a key to know it by, such as `run_id()` with the step's inputs, or ask it before."
)


@dataclass(frozen=True)
class Effect:
    """Something that happened outside; `entries` is the length of the run's log at that time.

    `again`: its step had succeeded before, and no person had it retried since.
    """

    name: str
    once: bool
    step: str
    attempt: int
    generation: str
    again: bool
    entries: int


class EffectRecord:
    """The effects of one run. What a worker does after it was killed is left out: it would not happen."""

    def __init__(self, log: MemoryLog) -> None:
        self.log = log
        self.effects: list[Effect] = []
        self.journal: FailingJournal | None = None

    @property
    def last(self) -> str:
        """The effect that came after the log's last event, if one did."""
        latest = self.effects[-1] if self.effects else None
        return (
            f"the effect {latest.name} of {latest.step}" if latest and latest.entries == len(self.log.entries) else ""
        )

    def add(self, name: str, *, once: bool) -> None:
        if self.journal is None or self.journal.killed.is_set():
            return
        scope = current_scope()
        before, generation = (scope.step.succeeded, scope.step.generation) if scope.step else (None, "")
        again = before is not None and before.generation == generation
        entries = len(self.log.entries)
        self.effects.append(Effect(name, once, scope.path, scope.attempt, generation, again, entries))
        self.journal.pass_places(1)


current_record: ContextVar[EffectRecord] = ContextVar("longhand_effects")


class Effects:
    """Collects what the stand-ins of a test report that a component had them do; outside of runs of the kit, nothing.

    `repeated` counts the effects that happened more often than undisturbed, as they may: how often in one run.
    """

    def __init__(self) -> None:
        self.repeated: Counter[str] = Counter()

    def note(self, name: str, *details: Any) -> None:
        """Report an effect that may happen again as long as its step has not succeeded."""
        self._add(name, details, once=False)

    def once(self, name: str, *details: Any) -> None:
        """Report an effect that must not happen again in this run, unless a person has the step retried."""
        self._add(name, details, once=True)

    def _add(self, name: str, details: Sequence[Any], *, once: bool) -> None:
        if record := current_record.get(None):
            record.add(f"{name}({', '.join(map(repr, details))})", once=once)

    def check(self, record: EffectRecord, undisturbed: EffectRecord) -> list[str]:
        """Return the effects that must not have happened again, as problems; count in `repeated` those that may."""
        history = _History(record)
        problems = [
            *history.find_twice(),
            *history.find_again(undisturbed.effects),
            *history.find_elsewhere(undisturbed.effects),
        ]
        usual = Counter(effect.name for effect in undisturbed.effects)
        counts = Counter((effect.name, effect.generation) for effect in record.effects if not effect.once)
        for (name, _), count in counts.items():
            if not problems and count > usual[name]:
                self.repeated[name] = max(count, self.repeated[name])
        return problems


class _History:
    """One run's effects, and how the attempts ended that had them."""

    def __init__(self, record: EffectRecord) -> None:
        self._effects = record.effects
        self._events = record.log.events
        self._ended: dict[tuple[str, int], tuple[int, str]] = {}
        for place, event in enumerate(self._events):
            if isinstance(event, e.StepSucceeded | e.StepFailed | e.StepRetrying):
                how = "succeeded" if isinstance(event, e.StepSucceeded) else "failed"
                self._ended.setdefault((event.step, event.attempt), (place, how))

    def find_twice(self) -> Iterator[str]:
        """Find effects that happened more than once, though reported by `Effects.once`."""
        groups: dict[tuple[str, str], list[Effect]] = defaultdict(list)
        for effect in self._effects:
            if effect.once:
                groups[effect.name, effect.generation].append(effect)
        for (name, _), effects in groups.items():
            if len(effects) > 1:
                places = ", then in ".join(self._place(effect) for effect in effects)
                yield f"{name} may happen once, and happened {len(effects)} times: in {places}.\n{NOT_ATOMIC}"

    def find_again(self, undisturbed: Sequence[Effect]) -> Iterator[str]:
        """Find effects of steps that were executed again although they had succeeded."""
        usual = {effect.step for effect in undisturbed if effect.again}
        for effect in self._effects:
            if effect.again and effect.step not in usual:
                begun = (event for event in self._events if isinstance(event, e.StepStarted))
                own = next(event for event in begun if (event.step, event.attempt) == (effect.step, effect.attempt))
                yield (
                    f"{effect.name} happened in attempt {effect.attempt} of {effect.step}, which had succeeded before; "
                    f"it was executed again because of this: {own.data.miss or 'no reason is in the log'}"
                )

    def find_elsewhere(self, undisturbed: Sequence[Effect]) -> Iterator[str]:
        """Find effects that another step had too, after the steps that should have them had succeeded."""
        if any(isinstance(event, e.CommandRetry) for event in self._events):
            return
        usual = Counter(effect.name for effect in undisturbed)
        for number, effect in enumerate(self._effects):
            same = [before for before in self._effects[:number] if before.name == effect.name]
            done = [before.step for before in same if self._had_succeeded(before, effect.entries)]
            if len(done) >= usual[effect.name] > 0 and effect.step not in done:
                yield (
                    f"{effect.name} happened again in {effect.step}, although {done[-1]} had done it and succeeded: "
                    "a resumed run must call the step the same (its `.key(…)`, and those of the steps above it)"
                )

    def _had_succeeded(self, effect: Effect, entries: int) -> bool:
        place, how = self._ended.get((effect.step, effect.attempt), (entries, ""))
        return place < entries and how == "succeeded"

    def _place(self, effect: Effect) -> str:
        _, how = self._ended.get((effect.step, effect.attempt), (0, "was interrupted"))
        return f"attempt {effect.attempt} of {effect.step}, which {how}"
