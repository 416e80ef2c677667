"""A run's log in memory, with the rules of the real one: for tests of workflows, and for trying them in a shell."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from app.contract.cursors import START, is_after
from app.contract.errors import CommandPending, RunEnded, StaleEpoch
from app.contract.events import (
    Command,
    CommandAnswer,
    CommandCancel,
    CommandRetry,
    Event,
    RunSubmitted,
    decode_event,
    encode_event,
)
from app.contract.payloads import Submitted
from app.contract.run import Run, fold
from worker.runtime.journal import Release
from worker.runtime.run_executor import RunExecutor
from worker.runtime.workflow import Workflow


class MemoryLog:
    """The log and the lease of one run.

    `entries` are pairs of cursor and JSON. `state` is "queued", "held", "parked" or "ended". `changed` is set, and
    replaced, at each change.
    """

    def __init__(self, workflow: Workflow, value: Any, run_id: str = "run_memory") -> None:
        self.workflow = workflow
        self.run_id = run_id
        self.entries: list[tuple[str, str]] = []
        self.epoch = 0
        self.state = "queued"
        self.newest_command = START
        self.changed = asyncio.Event()
        submitted = Submitted(
            workflow=workflow.name, title=workflow.name, input=workflow.input.dump_python(value, mode="json")
        )
        self.put(RunSubmitted(data=submitted))

    @property
    def events(self) -> list[Event]:
        return [decode_event(cursor, body) for cursor, body in self.entries]

    @property
    def run(self) -> Run:
        return fold(self.run_id, self.events)

    def put(self, event: Event) -> str:
        """Append one event, whatever the lease says; return its cursor."""
        cursor = f"{len(self.entries) + 1}-0"
        self.entries.append((cursor, encode_event(event)))
        self._notify()
        return cursor

    def _notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def command(self, command: Command) -> str:
        """Append a command, as the API plane does; return its cursor.

        Raise `RunEnded` if the run has ended and the command is no retry.
        """
        if self.state == "ended" and not isinstance(command, CommandRetry):
            raise RunEnded("The run has ended. Only a retry resumes it.")
        if self.state != "held":
            self.state = "queued"
        self.newest_command = self.put(command)
        return self.newest_command

    def cancel(self) -> str:
        return self.command(CommandCancel())

    def take(self) -> MemoryJournal:
        """Take the run for a new epoch, whatever its state: leases, not the log, decide who may take it."""
        self.epoch += 1
        self.state = "held"
        self._notify()
        return MemoryJournal(self, self.epoch)

    async def execute(self, **wiring: Any) -> Run:
        """Execute the run in a new epoch until it is released; return its state."""
        journal = self.take()
        await RunExecutor(self.workflow, journal, epoch=journal.epoch, **wiring).execute()
        return self.run


class MemoryJournal:
    """The access of one epoch to a `MemoryLog`."""

    def __init__(self, log: MemoryLog, epoch: int) -> None:
        self.log = log
        self.epoch = epoch

    def _check(self) -> None:
        if self.log.epoch != self.epoch or self.log.state != "held":
            raise StaleEpoch(f"The run is held by epoch {self.log.epoch}.")

    def emit(self, event: Event) -> None:
        self._check()
        self.log.put(event)

    async def commit(self) -> None:
        await asyncio.sleep(0)
        self._check()

    async def release(self, events: Sequence[Event], how: Release, handled: str) -> None:
        await asyncio.sleep(0)
        self._check()
        if is_after(self.log.newest_command, handled):
            raise CommandPending(self.log.newest_command)
        for event in events:
            self.log.put(event)
        self.log.state = how

    async def fold(self) -> Run:
        return self.log.run

    async def commands(self, after: str) -> list[Command]:
        waiting = [event for event in self.log.events if is_after(event.id, after)]
        return [event for event in waiting if isinstance(event, CommandCancel | CommandRetry | CommandAnswer)]

    async def next_command(self, after: str) -> None:
        self._check()
        while not is_after(self.log.newest_command, after):
            await self.log.changed.wait()
            self._check()
