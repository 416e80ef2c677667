"""The chaos kit as a pytest plugin: `pytest -p worker.testing.plugin`, or in the top conftest.py
`pytest_plugins = ["worker.testing.plugin"]`.

async def test_survives_deaths(chaos):
    await chaos.at_every_event(my_workflow, given(MyInput(…)))

Tests that take `chaos` may be async without any other plugin; where one runs async tests, it runs these too.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator

import pytest

from worker.testing.chaos import Chaos

REPEATED = "effects that deaths repeated"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--chaos-seed", type=int, default=0, help="which random deaths workers die")
    parser.addoption(
        "--chaos-at", default="", help="the one place to disturb a run at, or the places of several deaths: 3,17"
    )


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an async test that takes `chaos`, if no other plugin has made it its own."""
    test = pyfuncitem.obj
    if "chaos" not in pyfuncitem.fixturenames or not inspect.iscoroutinefunction(test):
        return None
    asyncio.run(test(**{name: pyfuncitem.funcargs[name] for name in inspect.signature(test).parameters}))
    return True


@pytest.fixture
def chaos(request: pytest.FixtureRequest) -> Iterator[Chaos]:
    """Disturbs runs of a workflow, and checks what must hold."""
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
    """Tell which effects happened more often than undisturbed, as they may when a worker dies too early."""
    reports = [
        report for kind in terminalreporter.stats.values() for report in kind if hasattr(report, "user_properties")
    ]
    told = {
        f"{report.nodeid}: {effect} up to {count} times in a run"
        for report in reports
        for name, effects in report.user_properties
        if name == REPEATED
        for effect, count in effects.items()
    }
    if told:
        terminalreporter.section("chaos: effects of steps that a death interrupted, and that so happened again")
        for line in sorted(told):
            terminalreporter.line(line)
