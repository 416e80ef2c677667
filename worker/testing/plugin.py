"""The chaos kit as a pytest plugin: `pytest -p worker.testing.plugin`, or `pytest_plugins` in the top conftest.py.

async def test_survives_deaths(chaos):
    await chaos.at_every_event(my_workflow, given(MyInput(…)))
"""

from __future__ import annotations

import pytest

from worker.testing.chaos import Chaos


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-seed", type=int, default=0, help="which random deaths workers die")


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> Chaos:
    """Kills workers of a workflow, resumes its runs, and checks what must hold."""
    return Chaos(seed=request.config.getoption("--chaos-seed", default=0))
