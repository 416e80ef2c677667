"""The chaos kit as a pytest plugin: `pytest -p worker.testing.plugin`, or in the top conftest.py
`pytest_plugins = ["worker.testing.plugin"]`.

async def test_survives_deaths(chaos):
    await chaos.at_every_event(my_workflow, given(MyInput(…)))

Tests that take `chaos` may be async without any other plugin; where one runs async tests, it runs these too.
"""

from __future__ import annotations

import asyncio
import inspect

import pytest

from worker.testing.chaos import Chaos


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-seed", type=int, default=0, help="which random deaths workers die")


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that takes `chaos`, if no other plugin has made it its own."""
    test = pyfuncitem.obj
    if "chaos" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(test):
        return None
    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}))
    return True


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> Chaos:
    """Kills workers of a workflow, resumes its runs, and checks what must hold."""
    return Chaos(seed=request.config.getoption("--chaos-seed", default=0))
