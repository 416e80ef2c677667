"""The chaos kit: it comes to every place of a run, tells what does not survive, and works in anybody's tests."""

from __future__ import annotations

import os
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
from worker.testing import Chaos, InvariantBroken, World, given


@asynccontextmanager
async def stumbling() -> AsyncIterator[World]:
    """Each run's components fail in the same way: before, in the middle of and after what is inside them."""
    probe = Probe()
    probe.fail["draft:p0"] = [ConnectionError("no line")]
    probe.fail["drafted:p1"] = [ConnectionError("cut off")]
    probe.fail["part:p1"] = [ConnectionError("the part fails after its children succeeded")]

    async def wire(_epoch: int) -> Mapping[Any, Any]:
        return {Probe: probe}

    yield World(2, wire)


async def test_it_kills_after_every_event_of_every_kind() -> None:
    chaos = Chaos()
    runs = await chaos.at_every_event(rich, stumbling)
    assert chaos.died_after.total() == runs > 50
    assert {*chaos.died_after} == {
        "run.submitted", "run.started", "run.waiting", "command.applied", "step.started", "step.message",
        "step.progress", "step.output", "object.published", "step.retrying", "step.failed", "step.succeeded",
        "run.incomplete",
    }  # fmt: skip


async def test_every_random_death_is_died() -> None:
    chaos = Chaos(seed=7)
    await chaos.at_random(rich, stumbling, runs=4, deaths=5)
    assert chaos.died_after.total() == 20


visits: list[int] = []


@component
async def count_visits() -> int:
    say("counting")
    visits.append(1)
    return len(visits)


@workflow("forgetful")
async def forgetful(number: int) -> int:
    return await count_visits()


async def test_it_tells_what_does_not_come_to_the_same() -> None:
    with pytest.raises(InvariantBroken, match=r"^forgetful, with workers dying after \d facts: its output is \d"):
        await Chaos().at_every_event(forgetful, given(1))


AUTHORS_TEST = """
from pydantic import BaseModel
from worker.runtime import ask, component, workflow
from worker.testing import given

class Order(BaseModel):
    count: int

calls = []

@component
async def pack(count: int) -> int:
    calls.append(count)
    return count + {extra}

@workflow("pack-order")
async def pack_order(order: Order) -> int:
    return await ask("sure", await pack(order.count), int)

async def test_it_survives(chaos, request):
    assert request.config.getoption("--chaos-seed") == 3
    assert await chaos.at_every_event(pack_order, given(Order(count=2))) > 5
    await chaos.at_random(pack_order, given(Order(count=2)), runs=3)
"""
SOUND, UNSOUND = AUTHORS_TEST.replace("{extra}", "1"), AUTHORS_TEST.replace("{extra}", "len(calls)")
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
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--chaos-seed=3", *options],
        cwd=tmp_path,
        env=kept | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "InvariantBroken: pack-order, with workers dying after" in done.stdout
