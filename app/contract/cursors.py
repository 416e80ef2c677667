"""Cursors: an event's position in its log, as the `ms-seq` text that Redis gives its stream entries."""

from __future__ import annotations

import re
from functools import lru_cache

from app.contract.errors import CursorUnreadable

START = "0-0"
"""The cursor before the first event of any log."""

_FORM = re.compile(r"(\d{1,19})-(\d{1,19})\Z", re.ASCII)
_LARGEST = 2**63 - 1


@lru_cache(maxsize=65_536)
def parse_cursor(cursor: str) -> tuple[int, int]:
    """Return the (milliseconds, sequence) of a cursor. These pairs order as the log does.

    Raise `CursorUnreadable` for anything that is not two numbers of at most 63 bits.
    """
    match = _FORM.match(cursor)
    if match is None:
        raise CursorUnreadable(cursor)
    ms, seq = int(match[1]), int(match[2])
    if max(ms, seq) > _LARGEST:
        raise CursorUnreadable(cursor)
    return ms, seq


def is_after(cursor: str, other: str) -> bool:
    """Return whether `cursor` stands later in the log than `other`."""
    return parse_cursor(cursor) > parse_cursor(other)
