"""Locked files with the ids of running processes, which stay locked after the process that started those was killed.

A lock (`flock`) belongs to an open file: all processes that inherited it hold it together, and the kernel drops it with
the last of them. So a held lock proves that the process id in the file is alive and ours, which an id alone never does.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app.launcher.errors import AlreadyRunning, CannotStart

CHECK_SECONDS = 0.05
STOP_SECONDS = 10.0


def open_locked(path: Path) -> int | None:
    """Return a descriptor that holds the file's lock; None while another process holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def read_holder(path: Path) -> int | None:
    """Return the process id in the file. It means nothing unless the lock is held."""
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdigit() else None


@contextmanager
def lock_data_folder(data_folder: Path) -> Iterator[None]:
    """Lock the data folder within the block, for one `longhand up`. Create the folder if it is missing.

    Raises:
        AlreadyRunning: another one has locked it.
        CannotStart: the folder cannot be created or written.
    """
    path = data_folder / "up.lock"
    try:
        data_folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = open_locked(path)
    except OSError as error:
        raise CannotStart(
            f"The data folder {data_folder} cannot be used: {error.strerror}. Set LONGHAND_DATA_DIR."
        ) from None
    if descriptor is None:
        raise AlreadyRunning(
            f"Longhand already runs with the data folder {data_folder} (process {read_holder(path)}). "
            "Stop it first, or set LONGHAND_DATA_DIR and LONGHAND_PORT to others."
        )
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


class PidLock:
    """The lock of one process of `longhand up`: at most one process holds it, over all restarts and crashes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def acquire(self, stop_seconds: float = STOP_SECONDS) -> int:
        """Return a locked descriptor for the next process. End the process that an earlier `longhand up` left with the
        lock: by SIGTERM, and after `stop_seconds` by SIGKILL.

        Raises:
            CannotStart: the lock is still held.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            descriptor = open_locked(self._path)
            if descriptor is None and (holder := read_holder(self._path)):
                with suppress(ProcessLookupError):
                    os.killpg(holder, signal_number)
            deadline = asyncio.get_running_loop().time() + stop_seconds
            while descriptor is None and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(CHECK_SECONDS)
                descriptor = open_locked(self._path)
            if descriptor is not None:
                return descriptor
        raise CannotStart(f"An earlier process (see {self._path}) does not end; end it by hand and start again.")


async def end_orphans(folder: Path, stop_seconds: float = STOP_SECONDS) -> None:
    """End every process that an earlier, killed `longhand up` left running; Redis last, as the others use it."""
    for path in sorted(folder.glob("*.lock"), reverse=True):
        os.close(await PidLock(path).acquire(stop_seconds))
