"""Digests by which equal requests are recognised."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_request(*parts: Any) -> str:
    """Return a digest that is the same for equal JSON values, whatever the order of their fields."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
