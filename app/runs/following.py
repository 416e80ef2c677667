"""Following a log: what is there, then what comes, until the run ends or the process stops."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing
from typing import Protocol

from redis.exceptions import RedisError

from app.contract.cursors import START
from app.contract.errors import CursorGone
from app.contract.events import Event, RunCancelled, RunFailed, RunIncomplete, RunSucceeded
from app.contract.run import Run
from app.contract.status import RunStatus
from app.stores.log import Log

_END = (RunSucceeded, RunIncomplete, RunFailed, RunCancelled)


class Follows(Protocol):
    """Whatever follows logs."""

    def follow(self, run_id: str, after: str = START) -> AsyncGenerator[list[Event]]: ...


class Notifications(Protocol):
    """Tells of appends to logs. `outages` counts lost connections, `closing` says that the process stops."""

    @property
    def outages(self) -> int: ...
    @property
    def closing(self) -> bool: ...
    def watch(self, run_id: str) -> AbstractContextManager[asyncio.Event]: ...


class Follower:
    """Follows logs by their bells."""

    def __init__(self, log: Log, notifications: Notifications) -> None:
        self._log = log
        self._notifications = notifications

    async def follow(self, run_id: str, after: str = START) -> AsyncGenerator[list[Event]]:
        """The events after a cursor, in batches; about once a second an empty one, so that a stream can show life.

        Ends with the run's end, when the process stops, and when Redis has lost the cursor in an outage: whoever comes
        again is then told so.
        """
        first = True
        outages = self._notifications.outages
        with self._notifications.watch(run_id) as bell:
            while not self._notifications.closing:
                bell.clear()
                try:
                    if outages != self._notifications.outages:
                        await self._log.check_cursor(run_id, after)
                        outages = self._notifications.outages
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


async def wait_for_end(follower: Follows, run_id: str, seconds: float) -> bool:
    """Whether the run ended in time. A run that waits for an answer is given up on at once."""
    run = Run(id=run_id)
    try:
        async with asyncio.timeout(seconds), aclosing(follower.follow(run_id)) as batches:
            async for events in batches:
                for event in events:
                    run.apply(event)
                if run.ended or run.status is RunStatus.WAITING:
                    break
    except TimeoutError:
        return False
    return run.ended
