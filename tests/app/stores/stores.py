"""The stores, with what most tests do to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.contract import keys
from app.contract.codec import Entry, encode_entry
from app.contract.cursors import START
from app.contract.events import Command, Event, RunSubmitted, StepMessage, now
from app.contract.ids import new_id
from app.contract.payloads import Message, Submitted
from app.contract.status import RunStatus
from app.stores import stores
from app.stores.epochs import Minted
from app.stores.leases import Due
from app.stores.log import ArchivedState, Release
from app.stores.repositories.runs import add_run
from app.stores.repositories.workspaces import add_workspace
from app.stores.tables import RunRow
from tests.conftest import LEASE_MS
from worker.engine.archiver import Archiver


def message(text: str, epoch: int = 0) -> StepMessage:
    return StepMessage(step="w", attempt=1, epoch=epoch, data=Message(text=text))


@dataclass
class Taken:
    """One run held in one epoch. Appends count up; one that is refused keeps its number, as in the worker."""

    stores: Stores
    run_id: str
    epoch: int
    floor: str
    newest_command: str
    number: int = 0

    async def append(self, *events: Event, number: int = 0, release: Release = "", handled: str = "") -> list[str]:
        """Append these facts, under the next number where none is given, and return their cursors.

        What was commanded before the run was taken counts as handled.
        """
        cursors = await self.stores.log.append(
            self.run_id,
            self.epoch,
            number or self.number + 1,
            events,
            lease_ms=LEASE_MS,
            floor=self.floor,
            release=release,
            handled=handled or self.newest_command,
        )
        self.number = number or self.number + 1
        return cursors

    async def say(self, *texts: str) -> list[str]:
        return await self.append(*(message(text, self.epoch) for text in texts))


class Stores(stores.Stores):
    """The stores of one test."""

    async def accept(self, workspace_id: str = "", value: Any = None) -> RunSubmitted:
        """Commit a run that Redis does not know yet. Return its first event, whose title is the run's id."""
        run_id = new_id("run")
        moment = now()
        submitted = RunSubmitted(
            id=f"{int(moment.timestamp() * 1000)}-0",
            at=moment,
            data=Submitted(workflow="echo", title=run_id, input=value),
        )
        async with self.database.writing() as session:
            if not workspace_id:
                workspace_id = new_id("ws")
                await add_workspace(session, workspace_id)
            row = RunRow(
                id=run_id, workspace_id=workspace_id, workflow="echo", title=run_id, input=value, created_at=moment
            )
            await add_run(session, row, encode_entry(submitted))
        return submitted

    async def submit(self, value: Any = None) -> str:
        """Submit a run to SQL and Redis, and return its id."""
        submitted = await self.accept(value=value)
        await self.log.submit(submitted.data.title, "echo", encode_entry(submitted))
        return submitted.data.title

    async def row(self, run_id: str) -> RunRow:
        async with self.database.reading() as session:
            row = await session.get(RunRow, run_id)
        assert row is not None
        return row

    async def mint(self, run_id: str) -> Minted:
        minted = await self.epochs.mint(run_id)
        assert minted is not None
        return minted

    async def take(self, run_id: str) -> Taken:
        minted = await self.mint(run_id)
        newest = await self.leases.take(run_id, minted.epoch, "tester", "echo", "1")
        assert newest is not None
        return Taken(self, run_id, minted.epoch, minted.shipped, newest)

    async def start(self) -> Taken:
        """Submit and take a run."""
        return await self.take(await self.submit())

    async def command(self, run_id: str, command: Command, client_id: str) -> str:
        """Append a command with the run's state in SQL, as the API plane does."""
        row = await self.row(run_id)
        state = "queued" if row.status in (RunStatus.QUEUED, RunStatus.RUNNING) else "ended"
        state = "parked" if row.status == RunStatus.WAITING else state
        known = ArchivedState(state, row.shipped, row.workflow, row.version)
        return await self.log.command(run_id, command, client_id, known)

    async def hot(self, run_id: str) -> list[str]:
        """Return the cursors in the stream."""
        return [cursor for cursor, _ in await self.redis.xrange(keys.log_key(run_id))]

    async def lease(self, run_id: str) -> dict[str, str]:
        found: dict[str, str] = await self.redis.hgetall(keys.lease_key(run_id))
        return found

    async def is_held(self, run_id: str) -> bool:
        """Return whether the run is held under a lease that has not run out."""
        lease = await self.lease(run_id)
        seconds, micros = await self.redis.time()
        return lease["state"] == "held" and int(lease["deadline"]) > seconds * 1000 + micros // 1000

    async def is_due(self, run_id: str) -> bool:
        """Return whether the run is due now."""
        return await self.find_due(run_id) is not None

    async def find_due(self, run_id: str) -> Due | None:
        return next((due for due in await self.leases.find_due(1000) if due.run_id == run_id), None)

    async def expire_lease(self, run_id: str) -> None:
        """Let the lease's time be over."""
        await self.redis.hset(keys.lease_key(run_id), "deadline", "1")
        await self.redis.zadd(keys.DUE, {run_id: 1})

    async def texts(self, run_id: str, after: str = START) -> list[str]:
        """Return the texts of the messages after a cursor, in order."""
        events = await self.log.read(run_id, after)
        return [event.data.text for event in events if isinstance(event, StepMessage)]

    def archiver(self) -> Archiver:
        return Archiver(self)

    async def ship(self) -> None:
        """Ship all unshipped events, also those of runs that another shipper has claimed."""
        for run_id in await self.redis.zrange(keys.UNSHIPPED, 0, -1):
            await self.redis.zadd(keys.UNSHIPPED, {run_id: 0})
        while await self.archiver().archive_batch():
            pass

    async def archived(self, run_id: str) -> Sequence[Entry]:
        return await self.archive.read(run_id)
