"""What was made for one run's page, kept for as long as what it was made from stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Made = TypeVar("Made")


class Kept:
    """Remembers one value for each name. It belongs to one fold: `forget` everything before another one is shown.

    A key holds the cursors at which the things that a value was made from last changed, and whatever else it was made
    from: while the key is the same, making the value again would give the same.
    """

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[str, tuple[object, Any]] = {}

    def get(self, name: str, key: object, make: Callable[[], Made]) -> Made:
        """The value of that name, made anew only when its key is another than before."""
        found = self._found.get(name)
        if found is None or found[0] != key:
            found = self._found[name] = (key, make())
        made: Made = found[1]
        return made

    def forget(self) -> None:
        self._found.clear()
