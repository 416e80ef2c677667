"""Records of model calls: tokens, cost and errors of each attempt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class ModelCall(BaseModel):
    """One attempt at a model call, also a failed or a cancelled one.

    `cost` is in US dollars, None when the model's price or what it used is unknown; `duration` is in seconds, without
    the wait for room; `error` is None for an attempt that worked, `cancelled` for one that was stopped.
    """

    model_config = ConfigDict(frozen=True)

    model: str
    kind: str
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    duration: float
    error: str | None = None


OnCall = Callable[[ModelCall], Awaitable[None]]
"""Called with each attempt when it is over."""


@dataclass
class TokenUsage:
    """The tokens of one attempt. `reported`: the provider has said how many."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reported: bool = False

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens
