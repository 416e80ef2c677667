"""The endpoint of a model: its address and its key."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr


@dataclass(frozen=True)
class Endpoint:
    """An address and its key. `timeout`: seconds without a byte; an empty `base_url` is the provider's own."""

    base_url: str = ""
    api_key: SecretStr = field(default_factory=lambda: SecretStr(""))
    timeout: float = 60
