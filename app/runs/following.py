"""Following a log: the events that are there, then new ones, until the run ends or the process stops."""

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


class NotificationSource(Protocol):
    """The part of `app.live.notifications.Notifications` that following a log needs."""

    @property
    def outages(self) -> int: ...
    @property
    def closing(self) -> bool: ...
    def watch(self, run_id: str) -> AbstractContextManager[asyncio.Event]: ...


class Follower:
    """Follows logs by the notifications of appends to them."""

    def __init__(self, log: Log, notifications: NotificationSource) -> None:
        self._log = log
        self._notifications = notifications

    async def follow(self, run_id: str, after: str = START) -> AsyncGenerator[list[Event]]:
        """Yield the events after a cursor in batches, and about once a second an empty batch: time for a ping.

        Ends with the run's end, when the process stops, and when Redis has lost the cursor in an outage: a client that
        comes again with that cursor is then told so.
        """
        first = True
        outages = self._notifications.outages
        with self._notifications.watch(run_id) as notified:
            while not self._notifications.closing:
                notified.clear()
                try:
                    if outages != self._notifications.outages:
                        await self._log.check_cursor(run_id, after)
                        outages = self._notifications.outages
                    events = await self._log.read(run_id, after)
                    ended = _is_end(events) if events else first and await self._has_ended(run_id, after)
                except CursorGone:
                    return
                except RedisError:
                    # The subscription may not notice so short an outage: the cursor is checked after it in any case.
                    outages = -1
                    events, ended = [], False
                else:
                    first = False
                if events:
                    after = events[-1].id
                yield events
                if ended:
                    return
                await notified.wait()

    async def _has_ended(self, run_id: str, cursor: str) -> bool:
        """Return whether the log ends at `cursor`. Events between reading and folding are read in the next round."""
        run = await self._log.fold(run_id)
        return run.ended and run.cursor == cursor


def _is_end(events: list[Event]) -> bool:
    """Return whether the run has ended with these events. An end is the last event until a retry is appended."""
    return isinstance(events[-1], _END)


async def wait_for_end(follower: Follower, run_id: str, seconds: float) -> bool:
    """Return whether the run ended in time. Return False at once for a run that waits for an answer."""
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
