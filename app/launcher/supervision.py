"""The processes of one `longhand up`: started one after another, stopped in tiers, the last started first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from app.launcher.errors import CannotStart
from app.launcher.process import Backoff, Process, ProcessCommand
from app.launcher.terminal import Say


class Supervision:
    """Keeps tiers of processes running. A tier is what is started and stopped together."""

    def __init__(self, slots: Path, say: Say, backoff: Backoff | None = None) -> None:
        self._slots = slots
        self._say = say
        self._backoff = backoff
        self._tiers: list[list[Process]] = []

    @property
    def pids(self) -> Mapping[str, int | None]:
        """The process ids of now, by name."""
        return {process.command.name: process.pid for tier in self._tiers for process in tier}

    def start(self, *commands: ProcessCommand) -> None:
        """Starts a tier, which runs from now on."""
        tier = [Process(command, self._slots, self._say, self._backoff) for command in commands]
        self._tiers.append(tier)
        for process in tier:
            process.start()

    async def run(self, command: ProcessCommand) -> None:
        """Runs a command to its end.

        Raises:
            CannotStart: it failed.
        """
        if code := await Process(command, self._slots, self._say).run_once():
            raise CannotStart(f"`{command.name}` failed (exit code {code}); what it said stands above.")

    async def stop(self, hurry: asyncio.Event) -> None:
        """Ends all processes, tier by tier, the last tier first."""
        while self._tiers:
            await asyncio.gather(*(process.stop(hurry) for process in self._tiers[-1]))
            self._tiers.pop()
