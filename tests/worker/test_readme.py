"""The README's example is a workflow that works, in under 30 lines, and its test is one that passes."""

import re
from pathlib import Path
from typing import Any

import pytest

from app.contract.status import RunStatus
from worker.runtime import Workflow
from worker.runtime.in_memory import MemoryLog
from worker.testing import Chaos

README = Path(__file__).parents[2] / "README.md"


@pytest.fixture
def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def execute(*examples: str) -> dict[str, Any]:
    module: dict[str, Any] = {"__name__": "example"}
    for example in examples:
        exec(compile(example, "README.md", "exec"), module)  # the code of our own README
    return module


async def test_the_example_runs(examples: list[str]) -> None:
    assert len(examples[0].splitlines()) < 30
    module = execute(examples[0])
    workflow = module["greet_all"]
    assert isinstance(workflow, Workflow)

    log = MemoryLog(workflow, module["People"](names=["Ada", "Grace"]))
    run = await log.execute()

    assert run.status is RunStatus.SUCCEEDED
    assert run.output == ["Greeted Ada", "Greeted Grace"]
    texts = [step.counting.text for path, step in run.steps.items() if "greet:" in path and step.counting]
    assert texts == ["Dear Ada, good to see you.\n\n", "Dear Grace, good to see you.\n\n"]


async def test_the_example_of_a_test_passes(examples: list[str]) -> None:
    chaos = Chaos()
    await execute(*examples)["test_it_survives"](chaos)
    assert chaos.killed_after["step.succeeded"] > 0
    assert chaos.events["run.cancelled"] > 0
