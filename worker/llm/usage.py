"""What one attempt at a model call was: for the log, the trace and the bill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict


class ModelCall(BaseModel):
    """One attempt, also a failed or a cancelled one.

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
"""Is told of every attempt when it is over."""


@dataclass
class TokenUsage:
    """The tokens of one attempt, filled in as the provider tells them; `reported` once it has."""

    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0
    reported: bool = False

    @property
    def total(self) -> int:
        return self.input_tokens + self.output_tokens
