"""Errors of both planes.

LonghandError
├── CursorUnreadable      a cursor that is no `ms-seq` pair (HTTP 400)
├── CursorGone            a cursor that is no entry of the log any more (HTTP 409)
├── AppendRefused         the log did not take an append
│   ├── StaleEpoch        the lease belongs to another epoch: stop, and write nothing more
│   ├── RunEnded          the run has an end; only a retry resumes it
│   └── CommandPending    a command came that the caller has not handled yet
└── RunUnknown            no such run, or not this workspace's (HTTP 404)
"""

from __future__ import annotations


class LonghandError(Exception):
    """The root of the errors that Longhand raises on purpose. Its text is for people."""


class CursorUnreadable(LonghandError):
    def __init__(self, cursor: str) -> None:
        super().__init__(f"{cursor[:40]!r} is not a cursor. A cursor looks like 1700000000000-0.")


class CursorGone(LonghandError):
    """A cursor that is no entry of the log any more. Reading after the cursor `restart` returns the whole log again."""

    def __init__(self, cursor: str, restart: str) -> None:
        super().__init__(f"{cursor} is no entry of this log any more. Start again after {restart}.")
        self.cursor = cursor
        self.restart = restart


class AppendRefused(LonghandError):
    pass


class StaleEpoch(AppendRefused):
    pass


class RunEnded(AppendRefused):
    pass


class CommandPending(AppendRefused):
    """A command that the caller has not handled. `newest` is the cursor of the newest command in the log."""

    def __init__(self, newest: str) -> None:
        super().__init__(f"command {newest} came first")
        self.newest = newest


class RunUnknown(LonghandError):
    pass
