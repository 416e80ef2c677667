"""Locked files that say which processes live, and still say so after whoever started them was killed.

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
PATIENCE_SECONDS = 10.0


def open_locked(path: Path) -> int | None:
    """A descriptor that holds the file's lock; None while somebody else does."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def read_holder(path: Path) -> int | None:
    """The process id in the file; meaningful only while the lock is held."""
    text = path.read_text().strip() if path.exists() else ""
    return int(text) if text.isdigit() else None


@contextmanager
def claim(data_folder: Path) -> Iterator[None]:
    """Holds the data folder, so that only one `longhand up` works on it. Makes the folder when it is missing.

    Raises:
        AlreadyRunning: another one holds it.
        CannotStart: the folder cannot be made or written.
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
    """The place of one process of ours: at most one process at a time is in it, over all restarts and crashes."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def acquire(self, patience: float = PATIENCE_SECONDS) -> int:
        """A locked descriptor for the next process. Ends what an earlier `longhand up` left in the place: SIGTERM, and
        after `patience` seconds SIGKILL.

        Raises:
            CannotStart: the place cannot be freed.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            descriptor = open_locked(self._path)
            if descriptor is None and (holder := read_holder(self._path)):
                with suppress(ProcessLookupError):
                    os.killpg(holder, signal_number)
            deadline = asyncio.get_running_loop().time() + patience
            while descriptor is None and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(CHECK_SECONDS)
                descriptor = open_locked(self._path)
            if descriptor is not None:
                return descriptor
        raise CannotStart(f"An earlier process (see {self._path}) does not end; end it by hand and start again.")


async def end_leftovers(folder: Path, patience: float = PATIENCE_SECONDS) -> None:
    """Ends every process that an earlier, killed `longhand up` left behind; Redis after those that use it."""
    for path in sorted(folder.glob("*.lock"), reverse=True):
        os.close(await PidLock(path).acquire(patience))
