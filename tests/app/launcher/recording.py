"""The recorded output of supervised processes, line by line, for tests to wait on."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from app.launcher.process import ProcessCommand

Line = tuple[str, str]


class Recording:
    """A `PrintLine` that records every line, and lets a test wait for the next one with a text."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._unread: asyncio.Queue[Line] = asyncio.Queue()

    def __call__(self, name: str, line: str) -> None:
        self.lines.append((name, line))
        self._unread.put_nowait((name, line))

    async def wait_for(self, name: str, text: str) -> str:
        """Wait for the process's next line with the text; skip the lines before."""
        async with asyncio.timeout(90):
            while True:
                said_by, line = await self._unread.get()
                if said_by == name and text in line:
                    return line


def python_command(name: str, script: Path, *arguments: str, stop_seconds: float = 20) -> ProcessCommand:
    return ProcessCommand(name, (sys.executable, "-u", str(script), *arguments), stop_seconds=stop_seconds)


def is_alive(pid: int) -> bool:
    """Return whether the process runs. One that has ended and waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def wait_until_gone(*pids: int) -> None:
    async with asyncio.timeout(90):
        while any(is_alive(pid) for pid in pids):
            await asyncio.sleep(0.01)
