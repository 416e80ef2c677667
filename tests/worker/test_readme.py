"""The README's example is a workflow that works, in under 30 lines."""

import re
from pathlib import Path
from typing import Any

from app.contract.runs import RunStatus
from worker.runtime import Workflow
from worker.runtime.memory import MemoryLog

README = Path(__file__).parents[2] / "README.md"


async def test_the_example_runs() -> None:
    example = re.search(r"```python\n(.*?)```", README.read_text(), re.DOTALL)
    assert example is not None
    assert len(example[1].splitlines()) < 30
    module: dict[str, Any] = {"__name__": "example"}
    exec(compile(example[1], "README.md", "exec"), module)  # the code of our own README
    workflow = module["greet_all"]
    assert isinstance(workflow, Workflow)

    log = MemoryLog(workflow, module["People"](names=["Ada", "Grace"]))
    run = await log.conduct()

    assert run.status is RunStatus.SUCCEEDED
    assert run.output == ["Greeted Ada", "Greeted Grace"]
    texts = [step.counting.text for path, step in run.steps.items() if "greet:" in path and step.counting]
    assert texts == ["Dear Ada, good to see you.\n\n", "Dear Grace, good to see you.\n\n"]
