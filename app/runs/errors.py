"""The errors of the web and API processes, beside those of the contract.

LonghandError
├── InputInvalid          values that do not fit, with a message for each (HTTP 400)
├── WorkflowUnknown       no worker has announced such a workflow (HTTP 404)
├── StepUnknown           the run has no such step (HTTP 404)
└── NotPossible           the run can't take this command as it is now (HTTP 409)
    ├── UnderWay          what a retry asks for is happening already, or about to
    └── KeyReused         an idempotency key that was used before, for another request
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from app.contract.errors import LonghandError


@dataclass(frozen=True, slots=True)
class Problem:
    """An error in one value. `path` names the value: `topic`, `sections.0.heading`; empty for the whole input."""

    path: str
    message: str


class InputInvalid(LonghandError):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" if p.path else p.message for p in problems))
        self.problems = tuple(problems)

    def as_list(self) -> list[dict[str, str]]:
        """Return `[{path, message}]`, as the API shows it."""
        return [asdict(problem) for problem in self.problems]


class WorkflowUnknown(LonghandError):
    def __init__(self, name: str) -> None:
        super().__init__(f"There is no workflow {name[:80]!r}, or no worker has announced it yet.")


class StepUnknown(LonghandError):
    def __init__(self, path: str) -> None:
        super().__init__(f"The run has no step {path[:200]!r}.")


class NotPossible(LonghandError):
    pass


class UnderWay(NotPossible):
    pass


class KeyReused(NotPossible):
    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used before, for another request.")
