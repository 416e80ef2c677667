"""What was made for one run's page, kept for as long as what it was made from stays the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from app.contract.cursors import START

Built = TypeVar("Built")


class Memo:
    """Remembers one value for each name, and which way each part could be made. It belongs to one fold: `forget`
    everything before another one is shown.

    A key holds the cursors at which the things that a value was made from last changed, and whatever else it was made
    from: while the key is the same, making the value again would give the same.
    """

    __slots__ = ("_found", "_ways")

    def __init__(self) -> None:
        self._found: dict[str, tuple[object, Any]] = {}
        self._ways: dict[str, tuple[int, str]] = {}

    def get(self, name: str, key: object, make: Callable[[], Built]) -> Built:
        """The value of that name, made anew only when its key is another than before."""
        found = self._found.get(name)
        if found is None or found[0] != key:
            found = self._found[name] = (key, make())
        made: Built = found[1]
        return made

    def turn(self, name: str, way: int, cursor: str) -> str:
        """Take note that at `cursor` the part of that name was made in that way, 0 being the proper one. Gives the
        cursor at which it was first made so after it was made otherwise; `START` if it never was."""
        before, since = self._ways.get(name, (0, START))
        if way != before:
            self._ways[name] = (way, cursor)
            return cursor
        return since

    def forget(self) -> None:
        self._found.clear()
        self._ways.clear()
