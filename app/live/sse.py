"""The one encoder of Server-Sent Events: of live pages, the activity board and the API.

Lines end in LF alone: a browser's parser may see a chunk that ends between CR and LF as the end of an event.
"""

from __future__ import annotations

import random
from typing import Final

OPENING_RETRY_MS = (500, 1_500)
"""After how many milliseconds a page reconnects when its connection was cut; each page draws its own."""
CLOSING_RETRY_MS = (250, 3_000)
"""After how many a page reconnects when this process stops: spread more, so that the next process is not overrun."""


def encode_event(data: str, *, name: str = "", id: str = "", retry_ms: int | None = None) -> bytes:
    """Encode an event. Browsers take `retry_ms` only from an event that has a name or data."""
    fields = [f"event: {name}"] if name else []
    if id:
        fields.append(f"id: {id}")
    if retry_ms is not None:
        fields.append(f"retry: {retry_ms}")
    lines = data.replace("\r\n", "\n").replace("\r", "\n").split("\n") if data else []
    fields += [f"data: {line}" for line in lines] or ["data:"]
    return ("\n".join(fields) + "\n\n").encode()


def encode_comment(text: str) -> bytes:
    """Encode a comment of one line: it keeps proxies from closing the connection, and no script hears it."""
    return f": {text}\n\n".encode()


def encode_patch(html: str, cursor: str, *, reset: bool = False) -> bytes:
    """Encode patches after which the page stands at `cursor`; with `reset`, wherever it stood before."""
    return encode_event(html, name="reset" if reset else "", id=cursor)


def encode_opening() -> bytes:
    """Encode a stream's first event, which says after how long to reconnect when the connection is cut."""
    return encode_event("", name="open", retry_ms=random.randint(*OPENING_RETRY_MS))


def encode_closing() -> bytes:
    """Encode the last event of a stream that ends because the process stops: the page reconnects later."""
    return encode_event("", name="closing", retry_ms=random.randint(*CLOSING_RETRY_MS))


PING: Final = encode_event("", name="ping")
"""Says that the connection is alive. It has a name, so that a page's script hears it: a comment is for proxies only."""

END: Final = encode_event("", name="end")
"""The last event of a run that has ended: the page has its last patch and does not reconnect."""
