"""Content negotiation: the headers `Accept` and `Prefer`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

LONGEST_WAIT = 600
"""The longest wait that a client may ask for, in seconds."""

_PREFERENCE = re.compile(r'(?:[^,"]|"[^"]*")+')
"""A preference of a comma-separated list. A comma in quotes separates nothing."""


def choose_media_type(accept: str, offered: Sequence[str]) -> str | None:
    """Return the offered type that the client prefers; among equals the first. Return None if it accepts none.

    The most specific range that covers a type decides its quality (RFC 9110, 12.5.1).
    """
    ranges = [_read_range(part) for part in accept.split(",") if part.strip()]
    if not ranges:
        return offered[0]
    best = max(offered, key=lambda media_type: _quality(media_type, ranges))
    return best if _quality(best, ranges) > 0 else None


def read_wait(prefer: Iterable[str]) -> int | None:
    """Return the seconds of `Prefer: wait=SECONDS`, at most `LONGEST_WAIT`; None without such a preference.

    The first of several counts (RFC 7240, 2). One that is no whole number does not count.
    """
    for preference in _PREFERENCE.findall(",".join(prefer)):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "wait":
            digits = value.strip().strip('"')
            if not (digits.isascii() and digits.isdigit()):
                return None
            # A number of any length, without reading all of it.
            return LONGEST_WAIT if len(digits.lstrip("0")) > 9 else min(int(digits), LONGEST_WAIT)
    return None


def _read_range(text: str) -> tuple[str, float]:
    media_range, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media_range, _read_quality(value.strip())
    return media_range, 1.0


def _read_quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return 0.0 if math.isnan(quality) else min(max(quality, 0.0), 1.0)


def _quality(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    kind = media_type.partition("/")[0]
    for wanted in (media_type, f"{kind}/*", "*/*"):
        found = [quality for media_range, quality in ranges if media_range == wanted]
        if found:
            return max(found)
    return 0.0
