"""How long the rest of what is counted will take, judged by what is done; nothing where there is nothing to judge by.

Each estimate depends on the log up to the last start or end of what is counted, and on nothing later: a page that was
patched and one that was rendered anew say the same.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import mean
from typing import NamedTuple

from app.contract.attempt import Attempt
from app.contract.status import OPEN_STEPS, StepStatus
from app.contract.step import Step
from app.live.fragments import latest, order

FEWEST_PAGES = 3
"""From how many pages on a pace is one."""

SHORTEST = 2.0
"""Seconds that are worth mentioning."""


class Rest(NamedTuple):
    """An estimate: `seconds` from the last change on, and when that is."""

    seconds: float
    until: datetime


def rest_of_sections(sections: Sequence[Step], planned: int) -> Rest | None:
    """Until the planned sections are written. They are written side by side: each has its own pace.

    A section that had no text yet is thought to take as long from then on as the written ones took; so is one that
    failed and is tried again, from the end of the pause on.
    """
    written = [step.success for step in sections if step.success is not None and step.success.origin == "call"]
    going = [step.latest for step in sections if step.status in OPEN_STEPS and step.latest]
    settled = sum(step.status in (StepStatus.SUCCEEDED, StepStatus.FAILED) for step in sections)
    if not written or not going or settled + len(going) < planned:
        return None
    changed = latest(attempt.born for attempt in going)
    changed = latest([changed, *(step.changed for step in sections if step.status is not StepStatus.RUNNING)])
    now = datetime.fromtimestamp(order(changed)[0] / 1000, UTC)
    whole = mean(_seconds(attempt, now) for attempt in written)
    length = mean(attempt.length for attempt in written)
    left = max(_seconds_left(attempt, now, _length_at(attempt, changed), length, whole) for attempt in going)
    return _rest(now, left)


def rest_of_pages(reading: Step | None, pages: Sequence[Step], done: int, total: int) -> Rest | None:
    """Until the pages known so far are read, at the pace since reading began or was taken up again."""
    since = reading.latest.started_at if reading and reading.latest and reading.status is StepStatus.RUNNING else None
    ends = [page.ended_at for page in pages if page.ended_at]
    read = [end for end in ends if since and end > since]
    if since is None or len(read) < FEWEST_PAGES or done >= total:
        return None
    now = max(read)
    return _rest(now, (now - since).total_seconds() / len(read) * (total - done))


def _rest(now: datetime, seconds: float) -> Rest | None:
    return Rest(seconds, now + timedelta(seconds=seconds)) if seconds >= SHORTEST else None


def _seconds_left(attempt: Attempt, now: datetime, written: int, length: float, whole: float) -> float:
    """What an attempt, or the one after it, still takes if it becomes as long as the written ones; 0 where it is longer
    already."""
    if attempt.status is not StepStatus.RUNNING:
        return whole + max(0.0, ((attempt.again_at or now) - now).total_seconds())
    spent = _seconds(attempt, now)
    if not written or spent <= 0:
        return whole
    return max(0.0, length - written) * spent / written


def _length_at(attempt: Attempt, cursor: str) -> int:
    """How many characters the attempt had at this cursor."""
    index = bisect_right(attempt.marks, order(cursor), key=lambda mark: order(mark[1]))
    return attempt.marks[index - 1][0] if index else 0


def _seconds(attempt: Attempt, now: datetime) -> float:
    return ((attempt.ended_at or now) - attempt.started_at).total_seconds()
