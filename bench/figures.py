"""Medians and percentiles of what was measured, and two measurements side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

Figures = dict[str, float]
"""One measurement: each figure under its name and unit."""


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def spread(values: Sequence[float], form: str = ",.2f") -> str:
    """Return the median, with the least and the greatest where they differ: `1.21 (1.18-1.30)`."""
    if not values:
        return "-"
    least, middle, most = (format(value, form) for value in (min(values), median(values), max(values)))
    return middle if least == most else f"{middle} ({least}-{most})"


def comparison(before: Sequence[Figures], after: Sequence[Figures]) -> Iterator[str]:
    """Yield the lines of a Markdown table of two versions' figures, each measured in several rounds."""
    yield "| figure | before | after | change |"
    yield "| --- | ---: | ---: | ---: |"
    for name in dict.fromkeys(name for one in (*before, *after) for name in one):
        old, new = ([one[name] for one in rounds if name in one] for rounds in (before, after))
        form = _form([*old, *new])
        yield f"| {name} | {spread(old, form)} | {spread(new, form)} | {_change(old, new)} |"


def _form(values: Sequence[float]) -> str:
    return ",.0f" if median(values) >= 100 or all(value == int(value) for value in values) else ",.2f"


def _change(old: Sequence[float], new: Sequence[float]) -> str:
    """Return the change of the median; `-` where the old one is 0, and where only one version has the figure."""
    if not old or not new or not median(old):
        return "-"
    return f"{median(new) / median(old) - 1:+.1%}"
