from __future__ import annotations

import pytest

from tests.worker.runtime.harness import Driver, MemoryHarness


@pytest.fixture(params=["memory"])
def harness(request: pytest.FixtureRequest) -> Driver:
    """A run on each kind of log that the runtime is used with."""
    kinds = {"memory": MemoryHarness}
    return Driver(kinds[request.param]())
