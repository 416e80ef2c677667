"""The chaos kit: for tests of workflows. `worker.testing.plugin` is its pytest plugin, with the fixture `chaos`."""

from worker.testing.chaos import Chaos, World, given
from worker.testing.invariants import InvariantBroken, check_log

__all__ = ["Chaos", "InvariantBroken", "World", "check_log", "given"]
