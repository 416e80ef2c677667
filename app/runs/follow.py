"""Following a log: what is there, then what comes, until the run ends or the process stops."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

from redis.exceptions import RedisError

from app.contract.cursors import START
from app.contract.errors import CursorGone
from app.contract.events import Event, RunCancelled, RunFailed, RunIncomplete, RunSucceeded
from app.runs.bells import Bells
from app.stores.log import Log

_END = (RunSucceeded, RunIncomplete, RunFailed, RunCancelled)


class Follows(Protocol):
    """Whatever follows logs."""

    def follow(self, run_id: str, after: str = START) -> AsyncGenerator[list[Event]]: ...


class Follower:
    """Follows logs by their bells."""

    def __init__(self, log: Log, bells: Bells) -> None:
        self._log = log
        self._bells = bells

    async def follow(self, run_id: str, after: str = START) -> AsyncGenerator[list[Event]]:
        """The events after a cursor, in batches; about once a second an empty one, so that a stream can show life.

        Ends with the run's end, when the process stops, and when Redis has lost the cursor in an outage: whoever comes
        again is then told so.
        """
        first = True
        outages = self._bells.outages
        with self._bells.watch(run_id) as bell:
            while not self._bells.closing:
                bell.clear()
                try:
                    if outages != self._bells.outages:
                        await self._log.check_cursor(run_id, after)
                        outages = self._bells.outages
                    events = await self._log.read(run_id, after)
                    ended = _is_end(events) if events else first and await self._has_ended(run_id, after)
                except CursorGone:
                    return
                except RedisError:
                    # The outage may be too short for the bells to notice: the cursor is checked after it anyway.
                    outages = -1
                    events, ended = [], False
                else:
                    first = False
                if events:
                    after = events[-1].id
                yield events
                if ended:
                    return
                await bell.wait()

    async def _has_ended(self, run_id: str, cursor: str) -> bool:
        """Whether the log ends at `cursor`; what comes between reading and folding is read in the next round."""
        run = await self._log.fold(run_id)
        return run.ended and run.cursor == cursor


def _is_end(events: list[Event]) -> bool:
    """Whether the run has ended with these events: after an end, only a retry is appended, and the log goes on."""
    return isinstance(events[-1], _END)
