"""JSON values as readable text."""

from __future__ import annotations

import json
from typing import Any

_LONGEST = 200_000
"""Characters of one value that a page shows."""


def format_json(value: Any) -> str:
    """Return a value as indented JSON, cut after `_LONGEST` characters with a note of how many are missing."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}\n… {len(text) - _LONGEST} characters more"
