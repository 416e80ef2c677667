"""Scenarios: the surroundings of a run while it is disturbed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from app.contract.payloads import Ask
from worker.runtime.execution import ResultCache

Resources = Mapping[Any, Any]

Wire = Callable[[int], Awaitable[Resources]]
"""Returns the resources of a worker that holds the run in this epoch, as `worker/main.py` wires them."""


async def wire_nothing(_epoch: int) -> Resources:
    return {}


@dataclass(frozen=True)
class Scenario:
    """One run's surroundings: its input, and what its workers are wired with.

    `run_id` is the id under which the run's rows stand, where there are any. `answers` are a person's, by the names of
    the asks, each a value or a function of the ask; where there is none, the proposal is taken as it is. `ends` is how
    the run ends when nothing disturbs it. Without a `cache`, the run has one of its own. A run of more passes or facts
    than `most_passes` and `most_facts`, or one that writes nothing for `patience` seconds, is taken for endless.
    """

    value: Any
    wire: Wire = wire_nothing
    run_id: str = "run_chaos"
    answers: Mapping[str, Any] | None = None
    ends: str = "succeeded"
    cache: ResultCache | None = None
    most_passes: int = 100
    most_facts: int = 10_000
    patience: float = 60.0

    def answer(self, ask: Ask) -> Any:
        """Return a person's answer to this ask."""
        if ask.name not in (self.answers or {}):
            return ask.proposal
        answer = (self.answers or {})[ask.name]
        return answer(ask) if callable(answer) else answer


Scenarios = Callable[[], AbstractAsyncContextManager[Scenario]]
"""Opens a new scenario for each run, so that runs do not see each other."""


def given(value: Any, resources: Resources | Callable[[], Resources] | None = None, **fields: Any) -> Scenarios:
    """Return scenarios with this input, and these resources for every worker; `fields` are others of `Scenario`.

    Resources that remember something are better given as a function, which makes new ones for each run.
    """

    @asynccontextmanager
    async def open_scenario() -> Any:
        own = (resources() if callable(resources) else resources) or {}

        async def wire(_epoch: int) -> Resources:
            return own

        yield Scenario(value, wire, **fields)

    return open_scenario
