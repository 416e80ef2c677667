"""What all processes say, on one terminal: each line with the name of its process before it."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import IO

Say = Callable[[str, str], None]
"""Takes a process's name and one line of what it says."""

LONGEST_LINE = 64 * 1024
NAME_WIDTH = 9


class Terminal:
    """Prints lines to standard output. Goes quiet when nobody reads any more (`make run | head`): work goes on."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self._stream = stream or sys.stdout.buffer
        self._closed = False

    def __call__(self, name: str, line: str) -> None:
        if self._closed:
            return
        try:
            self._stream.write(f"{name:<{NAME_WIDTH}}│ {line}\n".encode(errors="replace"))
            self._stream.flush()
        except OSError:
            self._closed = True
            # Python flushes standard output once more when it ends: give that somewhere to go.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


async def copy_lines(descriptor: int, name: str, say: Say) -> None:
    """Says each line that is read from the pipe, until its other end is closed. Closes the descriptor."""
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", buffering=0)
    )
    rest = b""
    try:
        while chunk := await reader.read(LONGEST_LINE):
            *lines, rest = (rest + chunk).split(b"\n")
            if len(rest) > LONGEST_LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                say(name, line.decode(errors="replace").rstrip("\r"))
    finally:
        if rest:
            say(name, rest.decode(errors="replace"))
        transport.close()
