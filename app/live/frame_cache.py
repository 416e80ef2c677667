"""The frames rendered from one state of a run, cached for all viewers that need the same one."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple


class Frame(NamedTuple):
    """An encoded patch, and the cursor at which a page stands after it. `body` is None when the page already shows all
    there is."""

    cursor: str
    body: bytes | None


class FrameCache:
    """The most recently used frames, by the cursor they begin at. None stands for a frame that failed to render."""

    MOST = 32
    MOST_BYTES = 4_000_000

    def __init__(self) -> None:
        self._frames: OrderedDict[str, Frame | None] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._frames)

    def __contains__(self, key: str) -> bool:
        return key in self._frames

    def get(self, key: str) -> Frame | None:
        self._frames.move_to_end(key)
        return self._frames[key]

    def add(self, key: str, frame: Frame | None) -> None:
        """Add a frame and evict older ones beyond the limits; the new one always stays."""
        self._frames[key] = frame
        self.bytes += _size(frame)
        while len(self._frames) > 1 and (len(self._frames) > self.MOST or self.bytes > self.MOST_BYTES):
            self.bytes -= _size(self._frames.popitem(last=False)[1])

    def clear(self) -> None:
        self._frames.clear()
        self.bytes = 0


def _size(frame: Frame | None) -> int:
    return len(frame.body) if frame is not None and frame.body is not None else 0
