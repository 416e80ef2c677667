"""The output of all processes on one terminal: each line after the name of its process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import IO

PrintLine = Callable[[str, str], None]
"""Prints a line of output, after the name of its process."""

LONGEST_LINE = 64 * 1024
NAME_WIDTH = 9


class Terminal:
    """Prints lines to standard output, and nothing more once its reader is gone (`make run | head`)."""

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
            # Python flushes standard output once more when it ends, which must not fail.
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._stream.fileno())


async def copy_lines(descriptor: int, name: str, print_line: PrintLine) -> None:
    """Print each line that is read from the pipe, until its other end is closed. Close the descriptor."""
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
                print_line(name, line.decode(errors="replace").rstrip("\r"))
    finally:
        if rest:
            print_line(name, rest.decode(errors="replace"))
        transport.close()
