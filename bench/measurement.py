"""Orders and results of the step bench, the same for each system that is measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

WINDOW = 10
"""A step's cost is the median over as many steps up to it: one step's own time is mostly the machine's noise."""


@dataclass(frozen=True)
class Order:
    """`runs` of `steps` no-op steps, `at_once` of them at a time; then one run of `long` steps."""

    runs: int
    steps: int
    at_once: int
    long: int

    def as_dict(self, **more: Any) -> dict[str, Any]:
        return {**asdict(self), **more}


@dataclass(frozen=True)
class Measurement:
    """`alone_ms`: a step's cost in a run that is alone. `cpu_ms`: the worker's processor time for a step of many runs.
    `costs_ms`: each step's cost in the long run."""

    alone_ms: float
    steps_per_second: float
    cpu_ms: float
    costs_ms: Sequence[float] = field(default=())

    def cost_at(self, step: int) -> float | None:
        """Return the cost (ms) of a step in the long run, over the window that ends with it."""
        if not self.costs_ms:
            return None
        end = min(step, len(self.costs_ms))
        return median(self.costs_ms[max(0, end - WINDOW) : end])
