"""The chaos kit: for tests of workflows. `worker.testing.plugin` is its pytest plugin, with the fixture `chaos`."""

from worker.testing.cache import MemoryCache
from worker.testing.chaos import Chaos
from worker.testing.effects import Effects
from worker.testing.errors import (
    ChaosFailure,
    Endless,
    InvariantBroken,
    ScenarioUnfit,
)
from worker.testing.invariants import check_log
from worker.testing.scenarios import Scenario, given

__all__ = [
    "Chaos",
    "ChaosFailure",
    "Effects",
    "Endless",
    "InvariantBroken",
    "MemoryCache",
    "Scenario",
    "ScenarioUnfit",
    "check_log",
    "given",
]
