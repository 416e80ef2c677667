"""The time that workers spent on a run: its passes, without queues, waits for a person and pauses before a retry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

Period = tuple[datetime, datetime]
"""A beginning and an end."""


@dataclass(slots=True)
class WorkTime:
    """The passes of a run over its workflow.

    `done` are the passes that are over. `begun` is when the present pass began; None while no worker holds the run.
    `told` is when its worker last emitted an event: a pass whose worker died ends there.
    """

    done: list[Period] = field(default_factory=list)
    begun: datetime | None = None
    told: datetime | None = None

    def begin(self, at: datetime) -> None:
        """Begin a pass."""
        self.begun = self.told = at

    def extend(self, at: datetime) -> None:
        """Extend the present pass to the time of an event that its worker emitted."""
        self.told = at

    def end(self) -> None:
        """End the present pass at the time of its worker's last event."""
        if self.begun is not None and self.told is not None:
            self.done.append((self.begun, self.told))
        self.begun = None

    @property
    def seconds(self) -> float:
        """The total seconds of the passes that are over."""
        return sum(map(seconds_of, self.done))

    @property
    def since(self) -> datetime | None:
        """When the work would have begun without gaps between its passes; None while no worker holds the run."""
        if self.begun is None:
            return None
        try:
            return self.begun - timedelta(seconds=self.seconds)
        except OverflowError:  # no calendar goes back that far
            return self.begun

    def spans(self, until: datetime | None) -> list[Period]:
        """Return all passes, the present one as far as `until`."""
        return [*self.done, (self.begun, until)] if self.begun and until else list(self.done)


def seconds_of(period: Period) -> float:
    """Return how many seconds the period lasted; 0 where clocks disagree about which end came first."""
    return max(0.0, (period[1] - period[0]).total_seconds())
