"""Paths of steps: the names of a step and of the steps that it is inside, joined by `/`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

_SIMPLE_KEY = re.compile(r"[\w.-]{1,80}")
_NOT_SIMPLE = re.compile(r"[^\w.-]+")


def step_path(parent: str, name: str, key: str = "") -> str:
    """Return the path of a step: `parent/name` or `parent/name:key`. Different keys give different paths.

    A key of up to 80 word characters, `.` and `-` stands in the path unchanged. Any other key is replaced by its
    readable characters, a `~` and a digest, which differs between keys with the same readable characters.
    """
    return f"{parent}/{name}:{_readable(key)}" if key else f"{parent}/{name}"


def _readable(key: str) -> str:
    if _SIMPLE_KEY.fullmatch(key):
        return key
    digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{_NOT_SIMPLE.sub('-', key)[:60].strip('-')}~{digest}"


def parent_path(path: str) -> str:
    """Return the path of the step that contains this one; empty for the root."""
    return path.rpartition("/")[0]


def ancestor_paths(path: str) -> Iterator[str]:
    """Yield the paths of the steps that contain this one, the nearest first."""
    while path := parent_path(path):
        yield path


def is_below(path: str, ancestor: str) -> bool:
    """Return whether `path` names a step inside the step `ancestor`. A step is not inside itself."""
    return path.startswith(ancestor + "/")
