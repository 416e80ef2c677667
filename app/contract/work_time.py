"""How long workers were at a run: its passes count, and no queue, no wait for a person, no pause before a retry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

Period = tuple[datetime, datetime]
"""A stretch of time: its beginning and its end."""


@dataclass(slots=True)
class WorkTime:
    """The passes of a run in time. `done` are those that are over; `begun` is when the present one began, None while
    no worker is at it; `told` is when a worker last said anything: a pass whose worker died ends there."""

    done: list[Period] = field(default_factory=list)
    begun: datetime | None = None
    told: datetime | None = None

    def begin(self, at: datetime) -> None:
        """A pass begins."""
        self.begun = self.told = at

    def tell(self, at: datetime) -> None:
        """A worker said something."""
        self.told = at

    def end(self) -> None:
        """The present pass is over, since a worker last said something."""
        if self.begun is not None and self.told is not None:
            self.done.append((self.begun, self.told))
        self.begun = None

    @property
    def seconds(self) -> float:
        """The seconds of the passes that are over."""
        return sum(map(seconds_of, self.done))

    @property
    def since(self) -> datetime | None:
        """While a worker is at it: when all that work would have begun, had its passes followed without a gap."""
        if self.begun is None:
            return None
        try:
            return self.begun - timedelta(seconds=self.seconds)
        except OverflowError:  # no calendar goes back that far
            return self.begun

    def spans(self, until: datetime | None) -> list[Period]:
        """All passes, the present one as far as `until`."""
        return [*self.done, (self.begun, until)] if self.begun and until else list(self.done)


def seconds_of(span: Period) -> float:
    """How long it took; nothing where clocks disagree about which came first."""
    return max(0.0, (span[1] - span[0]).total_seconds())
