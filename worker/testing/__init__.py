"""The chaos kit: for tests of workflows. `worker.testing.plugin` is its pytest plugin, with the fixture `chaos`."""

from worker.testing.cache import MemoryCache
from worker.testing.chaos import Chaos
from worker.testing.effects import Effects
from worker.testing.failures import ChaosFailure, Endless, InvariantBroken, WorldUnfit
from worker.testing.invariants import check_log
from worker.testing.worlds import World, given

__all__ = [
    "Chaos",
    "ChaosFailure",
    "Effects",
    "Endless",
    "InvariantBroken",
    "MemoryCache",
    "World",
    "WorldUnfit",
    "check_log",
    "given",
]
