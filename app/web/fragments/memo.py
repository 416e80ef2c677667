"""A memo of what was built for one run's page, valid while what it was built from stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from app.contract.cursors import START

Built = TypeVar("Built")


class Memo:
    """Caches one value for each name, and notes which builder each part of the page needed.

    It belongs to one fold: call `clear` before another fold is shown. A key holds the cursors at which the sources of
    a value last changed, and all else that the value was built from, so that equal keys mean equal values.
    """

    __slots__ = ("_builds", "_cached")

    def __init__(self) -> None:
        self._cached: dict[str, tuple[object, Any]] = {}
        self._builds: dict[str, tuple[int, str]] = {}

    def get(self, name: str, key: object, build: Callable[[], Built]) -> Built:
        """Return the value of that name, built anew only when its key differs from the last one."""
        cached = self._cached.get(name)
        if cached is None or cached[0] != key:
            cached = self._cached[name] = (key, build())
        built: Built = cached[1]
        return built

    def note_build(self, name: str, builder: int, cursor: str) -> str:
        """Note that the part of that name was built by that builder at `cursor`; 0 is the regular builder.

        Return the cursor at which this builder took over from another one, `START` if the regular one always worked.
        """
        before, since = self._builds.get(name, (0, START))
        if builder != before:
            self._builds[name] = (builder, cursor)
            return cursor
        return since

    def clear(self) -> None:
        self._cached.clear()
        self._builds.clear()
