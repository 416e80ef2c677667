"""The time axis of a trace: a run's passes one after the other, without the time between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count, pairwise

from app.contract.work_time import Period, seconds_of
from app.http.templates import write_duration

MOST_INTERVALS = 3
"""Intervals between ticks: more would leave no room for their labels."""

SHORTEST_CUT = 1.0
"""Seconds between two passes from which on the axis shows a cut."""

_ROUND = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class AxisMark:
    """A tick or a cut of the axis; `at` is in percent of its length."""

    at: float
    label: str


@dataclass(frozen=True)
class TraceAxis:
    """The axis of the passes `spans`, in their order."""

    spans: tuple[Period, ...]

    @cached_property
    def seconds(self) -> float:
        """Its length: the seconds of all passes."""
        return sum(map(seconds_of, self.spans))

    def place(self, moment: datetime) -> float:
        """Return the place of a moment, in percent; one between two passes stands where they meet."""
        passed = sum(seconds_of((begun, min(moment, ended))) for begun, ended in self.spans)
        return _percent(passed, self.seconds)

    @cached_property
    def gaps(self) -> list[Period]:
        """The periods between passes, in which nothing ran."""
        found = [(ended, begun) for (_, ended), (begun, _) in pairwise(self.spans)]
        return [gap for gap in found if seconds_of(gap) >= SHORTEST_CUT]

    @cached_property
    def idle(self) -> float:
        """Seconds between passes, in which nothing ran."""
        return sum(map(seconds_of, self.gaps))

    @cached_property
    def cuts(self) -> list[AxisMark]:
        """A mark where each gap is cut out, with its length."""
        return [AxisMark(self.place(gap[0]), write_duration(seconds_of(gap))) for gap in self.gaps]

    @cached_property
    def ticks(self) -> list[AxisMark]:
        """Marks at a few round times."""
        whole = self.seconds
        step = _round_up(whole / MOST_INTERVALS)
        times = [step * number for number in range(MOST_INTERVALS + 1)]
        return [AxisMark(_percent(time, whole), _write(time, step)) for time in times if time <= whole]


def _percent(part: float, whole: float) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _round_up(seconds: float) -> float:
    """Return the next round time."""
    hours = (_HOUR * 2**power for power in count())
    return next((time for time in _ROUND if time >= seconds), 0) or next(time for time in hours if time >= seconds)


def _write(seconds: float, step: float) -> str:
    if step < 0.1:
        return f"{seconds * 1000:.0f} ms"
    return write_duration(seconds).removesuffix(" 0 s").removesuffix(" 0 min")
