"""Digests of requests: whether two of them ask for the same."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def digest_request(*parts: Any) -> str:
    """The same for equal JSON values, in whatever order their fields stand."""
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
