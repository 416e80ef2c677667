"""One process of ours, kept running: started again after it dies, until it is stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from app.launcher import die_with_parent
from app.launcher.errors import CannotStart
from app.launcher.pid_locks import PidLock
from app.launcher.terminal import Say, copy_lines

OWN_NAME = "longhand"
LAST_WORDS_SECONDS = 1
"""How long the output of a process that has ended is still read: a descendant may hold the pipe open."""


@dataclass(frozen=True)
class ProcessCommand:
    """What to run, and how to end it."""

    name: str
    arguments: tuple[str, ...]
    """The program's absolute path and its arguments."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What is added to our own environment; may hold secrets."""
    folder: Path | None = None
    stop_seconds: float = 10
    """How long it may take to end after SIGTERM."""
    can_be_hurried: bool = True
    """Whether a second Ctrl-C kills it; what holds data has its time all the same."""
    orphan_signal: signal.Signals = signal.SIGKILL
    """What the kernel sends it when we are killed."""


@dataclass(frozen=True)
class Backoff:
    """How long to wait before a process is started again, in seconds: doubling, until one lived for `settled`."""

    first: float = 0.5
    cap: float = 30
    settled: float = 30

    def wait(self, deaths: int) -> float:
        return min(self.cap, self.first * 2.0 ** min(deaths - 1, 32))


async def spawn(command: ProcessCommand, slot: PidLock, output: int) -> asyncio.subprocess.Process:
    """Starts the program in a session of its own: the terminal's Ctrl-C reaches us only, who stop it in order."""
    lock = await slot.acquire()
    leash_arguments = (str(os.getpid()), str(lock), str(int(command.orphan_signal)))
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-IS",
            str(Path(die_with_parent.__file__).resolve()),
            *leash_arguments,
            *command.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **command.environment},
            cwd=command.folder,
            pass_fds=(lock,),
            start_new_session=True,
        )
    finally:
        os.close(lock)


class Process:
    """Keeps one command running from `start` to `stop`."""

    def __init__(self, command: ProcessCommand, slots: Path, say: Say, backoff: Backoff | None = None) -> None:
        self.command = command
        self._slot = PidLock(slots / f"{command.name}.lock")
        self._say = say
        self._backoff = backoff or Backoff()
        self._stopped = asyncio.Event()
        self._current: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the process that runs now."""
        return self._current.pid if self._current else None

    def start(self) -> None:
        self._keeping = asyncio.create_task(self._keep())

    async def run_once(self) -> int:
        """Runs the command to its end and gives its exit code; negative for a signal."""
        reading, output = os.pipe()
        copying = asyncio.create_task(copy_lines(reading, self.command.name, self._say))
        try:
            self._current = await spawn(self.command, self._slot, output)
        finally:
            os.close(output)
            if self._current is None:
                await copying
        process = self._current
        try:
            if self._stopped.is_set():  # asked to stop while it was being started
                self._signal(signal.SIGKILL)
            return await process.wait()
        finally:
            self._signal(signal.SIGKILL)  # when we are cancelled
            await process.wait()
            self._current = None
            await asyncio.wait({copying}, timeout=LAST_WORDS_SECONDS)
            copying.cancel()

    async def stop(self, hurry: asyncio.Event) -> None:
        """Asks the process to end and waits until it has; kills it when its time is over, or when `hurry` is set."""
        self._stopped.set()
        self._signal(signal.SIGTERM)
        if self._keeping is None:
            return
        hurried = asyncio.create_task((hurry if self.command.can_be_hurried else asyncio.Event()).wait())
        await asyncio.wait(
            {self._keeping, hurried}, timeout=self.command.stop_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if not self._keeping.done():
            self._say(OWN_NAME, f"{self.command.name} has not ended in time: killing it")
            self._signal(signal.SIGKILL)
        await self._keeping

    async def _keep(self) -> None:
        deaths = 0
        clock = asyncio.get_running_loop().time
        while not self._stopped.is_set():
            started = clock()
            ending = await self._try_once()
            if self._stopped.is_set():
                return
            deaths = 1 if clock() - started >= self._backoff.settled else deaths + 1
            wait = self._backoff.wait(deaths)
            self._say(OWN_NAME, f"{self.command.name} {ending}; starting it again in {wait:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)

    async def _try_once(self) -> str:
        try:
            return _describe_ending(await self.run_once())
        except (OSError, CannotStart) as error:  # no memory, no process to be had: as good as a death
            return f"could not be started ({error})"

    def _signal(self, signal_number: signal.Signals) -> None:
        """To the process; SIGKILL to all of its session. asyncio sends nothing to a process that it has reaped."""
        if self._current is None or self._current.returncode is not None:
            return
        with suppress(ProcessLookupError):
            if signal_number is signal.SIGKILL:
                os.killpg(self._current.pid, signal_number)
            else:
                self._current.send_signal(signal_number)


def _describe_ending(code: int) -> str:
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
