"""Estimates of the time that the rest of a run's sections or pages takes, judged by those that are done.

An estimate depends on the log up to the last start or end of a section or page, and on nothing later: so a page that
was patched and a page that was rendered anew show the same one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import NamedTuple

from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Attempt, Step
from app.live.fragments import latest, order

FEWEST_PAGES = 3
"""Pages that must have been read before their pace is used."""

SHORTEST = 2.0
"""Seconds below which no estimate is shown."""


class TimeLeft(NamedTuple):
    """An estimate: `seconds` from the last change on, ending at `until`."""

    seconds: float
    until: datetime


def estimate_sections(sections: Sequence[Step], planned: int) -> TimeLeft | None:
    """Estimate when the planned sections are written: they are written side by side, each at its own pace.

    A section without text is expected to take as long from then on as the written ones took; so is one that failed and
    will be retried, from the end of its pause on. None while some planned section has not begun, or none is written.
    """
    written = [step.success for step in sections if step.success is not None and step.success.origin == "call"]
    going = [step.latest for step in sections if step.status in OPEN_STEPS and step.latest]
    settled = sum(step.status in (StepStatus.SUCCEEDED, StepStatus.FAILED) for step in sections)
    if not written or not going or settled + len(going) < planned:
        return None
    changed = latest(attempt.born for attempt in going)
    changed = latest([changed, *(step.changed for step in sections if step.status is not StepStatus.RUNNING)])
    now = datetime.fromtimestamp(order(changed)[0] / 1000, UTC)
    usual_seconds = mean(_seconds(attempt, now) for attempt in written)
    usual_length = mean(attempt.length for attempt in written)
    seconds = max(
        _seconds_left(attempt, now, _length_at(attempt, changed), usual_length, usual_seconds) for attempt in going
    )
    return _time_left(now, seconds)


def estimate_pages(reading: Step | None, pages: Sequence[Step], done: int, total: int) -> TimeLeft | None:
    """Estimate when the pages known so far are read, at the pace since reading began or was resumed."""
    since = reading.latest.started_at if reading and reading.latest and reading.status is StepStatus.RUNNING else None
    ends = [page.ended_at for page in pages if page.ended_at]
    read = [end for end in ends if since and end > since]
    if since is None or len(read) < FEWEST_PAGES or done >= total:
        return None
    now = max(read)
    return _time_left(now, (now - since).total_seconds() / len(read) * (total - done))


def _time_left(now: datetime, seconds: float) -> TimeLeft | None:
    return TimeLeft(seconds, now + timedelta(seconds=seconds)) if seconds >= SHORTEST else None


def _seconds_left(attempt: Attempt, now: datetime, length: int, usual_length: float, usual_seconds: float) -> float:
    """Return the seconds until the attempt, or the one after it, has the usual length; 0 where it is longer already."""
    if attempt.status is not StepStatus.RUNNING:
        return usual_seconds + max(0.0, ((attempt.again_at or now) - now).total_seconds())
    spent = _seconds(attempt, now)
    if not length or spent <= 0:
        return usual_seconds
    return max(0.0, usual_length - length) * spent / length


def _length_at(attempt: Attempt, cursor: str) -> int:
    """Return how many characters the attempt's text had at this cursor."""
    index = bisect_right(attempt.marks, order(cursor), key=lambda mark: order(mark[1]))
    return attempt.marks[index - 1][0] if index else 0


def _seconds(attempt: Attempt, now: datetime) -> float:
    return ((attempt.ended_at or now) - attempt.started_at).total_seconds()
