"""The journal on the real stores: one epoch's appends to a run's log, in order, several events to an append."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog
from redis.exceptions import RedisError

from app.contract.codec import encode_event
from app.contract.cursors import START, is_after
from app.contract.errors import AppendRefused, CommandPending, StaleEpoch
from app.contract.events import Command, CommandAnswer, CommandCancel, CommandRetry, Event, RunHandedOver
from app.contract.payloads import HandedOver
from app.contract.run import Run
from app.stores.log import Log
from worker.engine.error_reporting import STORE_ERRORS
from worker.engine.redis_errors import is_transient
from worker.runtime.journal import Release

logger = structlog.get_logger()

T = TypeVar("T")

LARGEST_BATCH = 256
"""The most events in one append."""

LARGEST_APPEND = 1024 * 1024
"""The most bytes of JSON in one append; a single event that is larger goes alone."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""The first and the longest pause (seconds) between tries to reach the stores."""


class Changes:
    """Lets tasks wait for a condition. As cheap as it can be: every step waits for its success to be written."""

    def __init__(self) -> None:
        self._waiting: list[asyncio.Future[None]] = []

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return when the condition holds. It is checked now, and after each `notify`."""
        while not condition():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            await future

    def notify(self) -> None:
        """Have every waiting task check its condition."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)


class LogJournal:
    """Appends events for one epoch. What is emitted during an append is written by the next one.

    An append whose answer is lost is repeated under its number, which changes nothing if it had arrived. While Redis
    cannot be reached or cannot take anything, the append is repeated for as long as that lasts. A refusal by the log
    loses the run; any other error that does not pass is raised by the next call of a method here.
    """

    def __init__(self, log: Log, run_id: str, epoch: int, *, lease_ms: int, floor: str, newest_command: str) -> None:
        self._log = log
        self._run_id = run_id
        self._epoch = epoch
        self._lease_ms = lease_ms
        self._floor = floor
        self._newest_command = newest_command
        self._number = 0
        self._queue: list[Event] = []
        self._emitted = 0
        self._written = 0
        self._changes = Changes()
        self._wake = asyncio.Event()
        self._lost: AppendRefused | None = None
        self._broken: Exception | None = None
        self._appending = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LogJournal:
        self._task = asyncio.create_task(self._write_queue())
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._task is not None
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    @property
    def lost(self) -> bool:
        """Whether another epoch has the run: Redis refuses this one."""
        return self._lost is not None

    def emit(self, event: Event) -> None:
        self._check()
        self._queue.append(event)
        self._emitted += 1
        self._wake.set()

    async def commit(self) -> None:
        goal = self._emitted
        await self._changes.wait_for(lambda: self._written >= goal or self._is_over())
        self._check()

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        await self.commit()
        try:
            await self._append(events, release=how, handled=handled)
        except CommandPending as pending:
            self.notify(pending.newest)
            raise
        except AppendRefused as refused:
            self.lose(refused)
            self._check()

    async def abandon(self, reason: str, *, trouble: bool = False) -> None:
        """Hand the run over as its log stands. What was not written yet is dropped.

        `trouble`: the run is to blame, as far as can be told.
        """
        self._queue.clear()
        handed_over = RunHandedOver(epoch=self._epoch, data=HandedOver(reason=reason, trouble=trouble))
        while not self.lost:
            try:
                # Pending commands are left to the next worker, which takes the run at once.
                await self._append([handed_over], release="queued", handled=self._newest_command)
                return
            except CommandPending as pending:
                self.notify(pending.newest)
            except AppendRefused as refused:
                self.lose(refused)
            except RedisError as error:
                # The next worker takes the run when its lease has run out.
                logger.warning("run not handed over", run=self._run_id, error=str(error))
                return

    async def fold(self) -> Run:
        await self.commit()
        return await self._read(lambda: self._log.fold(self._run_id))

    async def commands(self, after: str) -> list[Command]:
        events = await self._read(lambda: self._log.read(self._run_id, after))
        return [event for event in events if isinstance(event, CommandCancel | CommandRetry | CommandAnswer)]

    async def command_or_loss(self, after: str) -> None:
        """Return when a command newer than `after` stands in the log, or the run is lost; also after an error here."""
        await self._changes.wait_for(lambda: is_after(self._newest_command, after) or self.lost)

    async def next_command(self, after: str) -> None:
        await self._changes.wait_for(lambda: is_after(self._newest_command, after) or self._is_over())
        self._check()

    def notify(self, newest_command: str) -> None:
        """Wake the tasks that wait for a command: one stands in the log at this cursor."""
        if is_after(newest_command, self._newest_command):
            self._newest_command = newest_command
            self._changes.notify()

    def lose(self, reason: AppendRefused) -> None:
        """Write nothing more, and wake all waiting tasks: the run belongs to another epoch."""
        self._lost = self._lost or reason
        self._changes.notify()

    def _is_over(self) -> bool:
        return self._lost is not None or self._broken is not None

    def _check(self) -> None:
        if self._lost is not None:
            raise StaleEpoch(str(self._lost)) from self._lost
        if self._broken is not None:
            raise self._broken

    async def _read(self, action: Callable[[], Awaitable[T]]) -> T:
        """Read, and repeat that while the stores cannot be reached: the run is still held here."""
        pause = FIRST_PAUSE
        while True:
            self._check()
            try:
                return await action()
            except STORE_ERRORS as error:
                if isinstance(error, RedisError) and not is_transient(error):
                    raise
                logger.warning("log not readable", run=self._run_id, error=str(error))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _write_queue(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while self._queue:
                    await self._write_batch(self._next_batch())
        except AppendRefused as refused:
            self.lose(refused)
        except Exception as error:  # a bug: the tasks that wait for the log must not wait for ever
            self._broken = error
            self._changes.notify()

    def _next_batch(self) -> list[str]:
        """Return the next queued events as JSON, as many as one append may hold."""
        bodies: list[str] = []
        size = 0
        for event in self._queue[:LARGEST_BATCH]:
            body = encode_event(event)
            size += len(body) if body.isascii() else len(body.encode())
            if bodies and size > LARGEST_APPEND:
                break
            bodies.append(body)
        return bodies

    async def _write_batch(self, batch: Sequence[str]) -> None:
        await self._append(batch)
        del self._queue[: len(batch)]
        self._written += len(batch)
        self._changes.notify()

    async def _append(
        self, events: Sequence[Event | str], *, release: Release | None = None, handled: str = START
    ) -> None:
        async with self._appending:
            number = self._number + 1
            await self._append_until_taken(number, events, release, handled)
            # Only now: the log takes no number after a gap, and a refused append has used up none.
            self._number = number

    async def _append_until_taken(
        self, number: int, events: Sequence[Event | str], release: Release | None, handled: str
    ) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                await self._log.append(
                    self._run_id,
                    self._epoch,
                    number,
                    events,
                    lease_ms=self._lease_ms,
                    floor=self._floor,
                    release=release or "",
                    handled=handled,
                )
                return
            except (RedisError, OSError) as error:
                if not is_transient(error):
                    raise
                logger.warning("append not taken", run=self._run_id, error=str(error))
            await asyncio.sleep(pause)
            # The append may have been written, archived, and lost by Redis since: its repeat would write it twice.
            self._floor = await self._read(lambda: self._log.last_archived(self._run_id))
            pause = min(pause * 2, LONGEST_PAUSE)
