"""Budgets: how much a run may spend on models."""

from __future__ import annotations

from worker.llm.errors import BudgetExceeded
from worker.llm.usage import ModelCall


class Budget:
    """Counts tokens and US dollars, and refuses the next call at the limit. A limit of 0 is none.

    A call whose price is unknown counts its tokens only. A resumed run starts with what it `spent_*` before.
    """

    def __init__(
        self, *, max_tokens: int = 0, max_cost: float = 0, spent_tokens: int = 0, spent_cost: float = 0
    ) -> None:
        self.max_tokens = max_tokens
        self.max_cost = max_cost
        self.spent_tokens = spent_tokens
        self.spent_cost = spent_cost

    def check(self) -> None:
        """Raise `BudgetExceeded` when nothing is left."""
        if self.max_tokens and self.spent_tokens >= self.max_tokens:
            raise BudgetExceeded(f"The run has used {self.spent_tokens} of its {self.max_tokens} tokens.")
        if self.max_cost and self.spent_cost >= self.max_cost:
            raise BudgetExceeded(f"The run has spent ${self.spent_cost:.4f} of its ${self.max_cost:.4f}.")

    def spend(self, call: ModelCall) -> None:
        """Count what a call used."""
        self.spent_tokens += call.input_tokens + call.output_tokens
        self.spent_cost += call.cost or 0
