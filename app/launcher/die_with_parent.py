"""A script that becomes another program, which ends when the process that started it ends.

It uses the standard library only: `die_with_parent.py PARENT_PID LOCK_FD SIGNAL PROGRAM ARGUMENT…`. It writes its
process id into the open, locked file LOCK_FD, which the program inherits. The lock is held while the program or a
child of it lives, which proves that the id is not another program's (see `pid_locks.py`). On Linux the kernel sends
SIGNAL when the parent dies; elsewhere the next `longhand up` ends the processes whose locks are still held.
"""

from __future__ import annotations

import os
import sys

PR_SET_PDEATHSIG = 1


def _end_with_parent(parent: int, signal_number: int) -> None:
    if not sys.platform.startswith("linux"):
        return
    try:
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    except (ImportError, OSError, AttributeError):  # a Python without ctypes, a C library without prctl
        return
    if os.getppid() != parent:
        sys.exit("the process that started this one has ended")


def main() -> None:
    parent, lock, signal_number = (int(argument) for argument in sys.argv[1:4])
    program = sys.argv[4:]
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)
    _end_with_parent(parent, signal_number)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
