"""The chaos kit as a pytest plugin: `pytest -p worker.testing.plugin`, or in the top conftest.py
`pytest_plugins = ["worker.testing.plugin"]`.

async def test_survives_kills(chaos):
    await chaos.at_every_event(my_workflow, given(MyInput(…)))

Tests that take `chaos` may be async without any other plugin; where one runs async tests, it runs these too.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from worker.testing.chaos import Chaos

REPEATED = "effects that kills repeated"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-seed", type=int, default=0, help="the seed of the random kills")
    parser.addoption(
        "--chaos-at", default="", help="the one place to disturb a run at, or the places of several kills: 3,17"
    )


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that takes `chaos`, unless another plugin runs async tests."""
    test = pyfuncitem.obj
    if "chaos" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(test):
        return None
    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}))
    return True


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> Iterator[Chaos]:
    """Return the `Chaos` of this test, with the seed and the places of the command line."""
    config = request.config
    places = config.getoption("--chaos-at", default="")
    plugin = "" if config.pluginmanager.hasplugin("worker.testing.plugin") else " -p worker.testing.plugin"
    chaos = Chaos(
        seed=config.getoption("--chaos-seed", default=0),
        at=[int(place) for place in places.split(",") if place],
        rerun=f"pytest{plugin} '{request.node.nodeid}'",
    )
    yield chaos
    if chaos.effects.repeated:
        request.node.user_properties.append((REPEATED, dict(chaos.effects.repeated)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the effects that happened more often than undisturbed, as they may when a worker is killed too early."""
    reports = [
        report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "user_properties")
    ]
    lines = {
        f"{report.nodeid}: {effect} up to {count} times in a run"
        for report in reports
        for name, effects in report.user_properties
        if name == REPEATED
        for effect, count in effects.items()
    }
    if lines:
        terminalreporter.section("chaos: effects that happened again, because a kill interrupted their step")
        for line in sorted(lines):
            terminalreporter.line(line)
