"""JSON values as people read them."""

from __future__ import annotations

import json
from typing import Any

_SHOWN = 200_000
"""Characters of one value that a page shows."""


def format_json(value: Any) -> str:
    """A value as people read it."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}\n… {len(text) - _SHOWN} characters more"
