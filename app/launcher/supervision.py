"""The supervised processes of one `longhand up`: started in tiers, and stopped in the reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from app.launcher.errors import CannotStart
from app.launcher.process import Backoff, Process, ProcessCommand
from app.launcher.terminal import PrintLine


class Supervision:
    """Tiers of processes that are kept running. The processes of a tier are started and stopped together."""

    def __init__(self, lock_folder: Path, print_line: PrintLine, backoff: Backoff | None = None) -> None:
        self._lock_folder = lock_folder
        self._print_line = print_line
        self._backoff = backoff
        self._tiers: list[list[Process]] = []

    @property
    def pids(self) -> Mapping[str, int | None]:
        """The current process ids by name."""
        return {process.command.name: process.pid for tier in self._tiers for process in tier}

    def start(self, *commands: ProcessCommand) -> None:
        """Start a tier."""
        tier = [Process(command, self._lock_folder, self._print_line, self._backoff) for command in commands]
        self._tiers.append(tier)
        for process in tier:
            process.start()

    async def run(self, command: ProcessCommand) -> None:
        """Run a command to its end.

        Raises:
            CannotStart: the command failed.
        """
        if code := await Process(command, self._lock_folder, self._print_line).run_once():
            raise CannotStart(f"`{command.name}` failed (exit code {code}); what it said stands above.")

    async def stop(self, hurry: asyncio.Event) -> None:
        """Stop all processes, the last tier first."""
        while self._tiers:
            await asyncio.gather(*(process.stop(hurry) for process in self._tiers[-1]))
            self._tiers.pop()
