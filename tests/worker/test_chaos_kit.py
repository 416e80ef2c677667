"""The chaos kit: it disturbs a run at every place, reports what does not survive, and works in anybody's tests."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.worker.runtime.harness import Probe
from tests.worker.runtime.rich import rich
from worker.runtime import component, say, workflow
from worker.testing import Chaos, InvariantBroken, Scenario, given


@asynccontextmanager
async def failing() -> AsyncIterator[Scenario]:
    """Open a scenario whose components fail: before, in the middle of and after what is inside them."""
    probe = Probe()
    probe.fail["draft:p0"] = [ConnectionError("no line")]
    probe.fail["drafted:p1"] = [ConnectionError("cut off")]
    probe.fail["part:p1"] = [ConnectionError("the part fails after its children succeeded")]

    async def wire(_epoch: int) -> Mapping[Any, Any]:
        return {Probe: probe}

    yield Scenario(2, wire, ends="incomplete")


async def test_it_kills_after_every_event_of_every_kind() -> None:
    chaos = Chaos()
    runs = await chaos.at_every_event(rich, failing)
    assert chaos.killed_after.total() == runs > 50
    assert {*chaos.killed_after} == {
        "run.submitted", "run.started", "run.waiting", "command.applied", "step.started", "step.message",
        "step.progress", "step.output", "object.published", "step.retrying", "step.failed", "step.succeeded",
        "run.incomplete",
    }  # fmt: skip


async def test_every_random_kill_happens() -> None:
    chaos = Chaos(seed=7)
    await chaos.at_random(rich, failing, runs=4, kills=5)
    assert chaos.killed_after.total() == 20


async def test_it_cancels_after_every_event_and_retries() -> None:
    chaos = Chaos()
    runs = await chaos.cancel_at_every_event(rich, failing)
    assert runs > 50
    assert chaos.events["command.cancel"] == chaos.events["run.cancelled"] == chaos.events["command.retry"] > 40


async def test_it_retries_every_step_after_the_end() -> None:
    chaos = Chaos()
    retries = await chaos.retry_every_step(rich, failing)
    assert retries > 8
    assert chaos.events["command.retry"] == retries


async def test_a_place_alone_is_disturbed_alone() -> None:
    chaos = Chaos(at=[3, 9])
    assert await chaos.at_every_event(rich, failing) == 1
    assert chaos.killed_after.total() == 2


async def test_some_places_stand_for_all_where_there_are_many() -> None:
    chaos = Chaos(seed=2)
    assert await chaos.at_every_event(rich, failing, most=5) == 5
    assert chaos.killed_after.total() == 5


visits: list[int] = []


@component
async def count_visits() -> int:
    say("counting")
    visits.append(1)
    return len(visits)


@workflow("forgetful")
async def forgetful(number: int) -> int:
    return await count_visits()


async def test_it_reports_a_run_that_comes_to_something_else() -> None:
    with pytest.raises(InvariantBroken, match=r"^forgetful, killed after \S+.*:\nits output is \d"):
        await Chaos().at_every_event(forgetful, given(1))


AUTHORS_TEST = """
from pydantic import BaseModel
from worker.runtime import ask, component, resource, workflow
from worker.testing import Effects, given

class Order(BaseModel):
    count: int

calls = []

@component
async def pack(count: int) -> int:
    calls.append(count)
    resource(Effects).note("take", count)
    return count + {extra}

@workflow("pack-order")
async def pack_order(order: Order) -> int:
    return await ask("sure", await pack(order.count), int)

async def test_it_survives(chaos, request):
    assert request.config.getoption("--chaos-seed") == 3
    orders = given(Order(count=2), {{Effects: chaos.effects}})
    assert await chaos.at_every_event(pack_order, orders) > 5
    await chaos.at_random(pack_order, orders, runs=3)
    await chaos.cancel_at_every_event(pack_order, orders)
    await chaos.retry_every_step(pack_order, orders)
"""
SOUND, UNSOUND = AUTHORS_TEST.format(extra="1"), AUTHORS_TEST.format(extra="len(calls)")
CONFTEST = 'pytest_plugins = ["worker.testing.plugin"]\n'


@pytest.mark.parametrize(
    ("options", "conftest"),
    [
        (["-p", "worker.testing.plugin"], ""),
        ([], CONFTEST),
        (["-p", "pytest_asyncio", "-o", "asyncio_mode=auto"], CONFTEST),
        (["-p", "pytest_asyncio", "-o", "asyncio_mode=strict"], CONFTEST),
    ],
    ids=["by option", "by conftest", "beside an automatic plugin", "beside a strict plugin"],
)
def test_authors_use_it_in_a_project_of_their_own(tmp_path: Path, options: list[str], conftest: str) -> None:
    (tmp_path / "conftest.py").write_text(conftest)
    (tmp_path / "test_sound.py").write_text(SOUND)
    (tmp_path / "test_unsound.py").write_text(UNSOUND)
    output = run_pytest(tmp_path, "-q", "--chaos-seed=3", *options)
    assert "1 failed, 1 passed" in output
    assert "InvariantBroken: pack-order, killed after" in output
    assert re.search(r"^test_sound.py::test_it_survives: take\(2\) up to \d times in a run$", output, re.MULTILINE)


def test_a_failure_names_the_command_that_runs_it_alone(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_unsound.py").write_text(UNSOUND)
    output = run_pytest(tmp_path, "--chaos-seed=3")
    alone = re.search(r"This run alone: pytest (.*)", output)
    assert alone is not None, output
    again = run_pytest(tmp_path, "--chaos-seed=3", *shlex.split(alone[1]))
    assert alone[0] in again
    assert next(line for line in output.splitlines() if "pack-order, killed after" in line) in again


def run_pytest(folder: Path, *options: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=folder,
        env=environment | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout + done.stderr
