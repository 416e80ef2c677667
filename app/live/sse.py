"""The frames of a stream of patches: Server-Sent Events, encoded once for everybody who gets them.

Lines end in LF alone: a browser's parser may see a chunk that ends between CR and LF as the end of an event.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final, NamedTuple

_LINE_END = re.compile(r"\r\n|\r|\n")

PING: Final = b"event: ping\ndata:\n\n"
"""Says that the connection lives. Named, so that a page's script hears it: a comment would be for proxies only."""

END: Final = b"event: end\ndata:\n\n"
"""The run has ended and the page has its last patch: do not come back."""


class Frame(NamedTuple):
    """What a viewer gets, and where it stands then. `body` is None when its page has nothing new to show."""

    cursor: str
    body: bytes | None


class Frames:
    """The frames made of one state of a run, by the cursor they begin at: those that were asked for last."""

    MOST = 32
    MOST_BYTES = 4_000_000

    def __init__(self) -> None:
        self._found: OrderedDict[str, Frame | None] = OrderedDict()
        self.bytes = 0

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, key: str) -> bool:
        return key in self._found

    def get(self, key: str) -> Frame | None:
        self._found.move_to_end(key)
        return self._found[key]

    def add(self, key: str, frame: Frame | None) -> None:
        """Keep a frame, at the cost of older ones; the newest one always."""
        self._found[key] = frame
        self.bytes += _size(frame)
        while len(self._found) > 1 and (len(self._found) > self.MOST or self.bytes > self.MOST_BYTES):
            self.bytes -= _size(self._found.popitem(last=False)[1])

    def clear(self) -> None:
        self._found.clear()
        self.bytes = 0


def _size(frame: Frame | None) -> int:
    return len(frame.body) if frame is not None and frame.body is not None else 0


def encode_patch(html: str, cursor: str, *, reset: bool = False) -> bytes:
    """A message with patches, after which the page stands at `cursor`. With `reset`, whatever cursor it had."""
    lines = "".join(f"data: {line}\n" for line in _LINE_END.split(html))
    return f"{'event: reset' + chr(10) if reset else ''}id: {cursor}\n{lines}\n".encode()


def encode_retry(name: str, milliseconds: int) -> bytes:
    """When to come back after a cut. `retry` counts only in an event that has a name or data."""
    return f"event: {name}\nretry: {milliseconds}\ndata:\n\n".encode()
