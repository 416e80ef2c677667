"""One supervised process: started again after each death, until it is stopped."""

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
from app.launcher.terminal import PrintLine, copy_lines

OWN_NAME = "longhand"
OUTPUT_SECONDS = 1
"""For how long the output of an ended process is read: a descendant may hold the pipe open."""


@dataclass(frozen=True)
class ProcessCommand:
    """A program to run, and how to end it."""

    name: str
    arguments: tuple[str, ...]
    """The program's absolute path and its arguments."""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Variables in addition to the supervisor's own; may hold secrets."""
    folder: Path | None = None
    stop_seconds: float = 10
    """How long the process may take to end after SIGTERM."""
    can_be_hurried: bool = True
    """Whether a second Ctrl-C kills the process. One that writes data to disk always gets its `stop_seconds`."""
    orphan_signal: signal.Signals = signal.SIGKILL
    """The signal that the kernel sends to the process when the supervisor is killed."""


@dataclass(frozen=True)
class Backoff:
    """The wait before a process is started again, in seconds: doubled each time, until one lived for `settled`."""

    first: float = 0.5
    cap: float = 30
    settled: float = 30

    def wait(self, deaths: int) -> float:
        return min(self.cap, self.first * 2.0 ** min(deaths - 1, 32))


async def spawn(command: ProcessCommand, pid_lock: PidLock, output: int) -> asyncio.subprocess.Process:
    """Start the program in a session of its own: the terminal's Ctrl-C reaches the supervisor only, which stops all
    processes in order."""
    lock = await pid_lock.acquire()
    try:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-IS",
            str(Path(die_with_parent.__file__).resolve()),
            *map(str, (os.getpid(), lock, int(command.orphan_signal))),
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
    """One command, kept running from `start` to `stop`."""

    def __init__(
        self, command: ProcessCommand, lock_folder: Path, print_line: PrintLine, backoff: Backoff | None = None
    ) -> None:
        self.command = command
        self._pid_lock = PidLock(lock_folder / f"{command.name}.lock")
        self._print_line = print_line
        self._backoff = backoff or Backoff()
        self._stopped = asyncio.Event()
        self._current: asyncio.subprocess.Process | None = None
        self._supervising: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the current process, None while there is none."""
        return self._current.pid if self._current else None

    def start(self) -> None:
        self._supervising = asyncio.create_task(self._supervise())

    async def run_once(self) -> int:
        """Run the command to its end and return its exit code, which is negative for a signal."""
        reading, output = os.pipe()
        copying = asyncio.create_task(copy_lines(reading, self.command.name, self._print_line))
        try:
            self._current = await spawn(self.command, self._pid_lock, output)
        finally:
            os.close(output)
            if self._current is None:
                await copying
        process = self._current
        try:
            if self._stopped.is_set():  # `stop` was called while the process was being started
                self._signal(signal.SIGKILL)
            return await process.wait()
        finally:
            self._signal(signal.SIGKILL)  # when this task is cancelled
            await process.wait()
            self._current = None
            await asyncio.wait({copying}, timeout=OUTPUT_SECONDS)
            copying.cancel()

    async def stop(self, hurry: asyncio.Event) -> None:
        """Ask the process to end, and wait for that. Kill it after `stop_seconds`, or when `hurry` is set."""
        self._stopped.set()
        self._signal(signal.SIGTERM)
        if self._supervising is None:
            return
        hurried = asyncio.create_task((hurry if self.command.can_be_hurried else asyncio.Event()).wait())
        await asyncio.wait(
            {self._supervising, hurried}, timeout=self.command.stop_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        hurried.cancel()
        if not self._supervising.done():
            self._print_line(OWN_NAME, f"{self.command.name} has not ended in time: killing it")
            self._signal(signal.SIGKILL)
        await self._supervising

    async def _supervise(self) -> None:
        deaths = 0
        clock = asyncio.get_running_loop().time
        while not self._stopped.is_set():
            started = clock()
            ending = await self._try_once()
            if self._stopped.is_set():
                return
            deaths = 1 if clock() - started >= self._backoff.settled else deaths + 1
            wait = self._backoff.wait(deaths)
            self._print_line(OWN_NAME, f"{self.command.name} {ending}; starting it again in {wait:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopped.wait(), wait)

    async def _try_once(self) -> str:
        try:
            return _describe_ending(await self.run_once())
        except (OSError, CannotStart) as error:  # such as too little memory, counts as a death
            return f"could not be started ({error})"

    def _signal(self, signal_number: signal.Signals) -> None:
        """Signal the process; SIGKILL goes to its whole session. asyncio signals no process that it has reaped."""
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
