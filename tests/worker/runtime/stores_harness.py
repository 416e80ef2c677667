"""The runtime's harness on the real stores: a run in SQL, its log and lease in Redis, a worker's journal."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from app.contract import keys
from app.contract.codec import encode_entry
from app.contract.errors import StaleEpoch
from app.contract.events import Command, Event, RunSubmitted, now
from app.contract.ids import new_id
from app.contract.payloads import Submitted
from app.stores.repositories.runs import add_run
from app.stores.tables import RunRow
from tests.app.stores.stores import Stores
from tests.conftest import LEASE_MS
from tests.worker.runtime.harness import Around, PausedByNewer, Probe, wire
from worker.engine.log_journal import LogJournal
from worker.runtime import Workflow
from worker.runtime.run_executor import RunExecutor

WORKSPACE = "ws"
HOLDER = "tester"


class StoresHarness:
    """A run on Redis and SQL. `stack` closes its journals."""

    def __init__(self, stores: Stores, stack: AsyncExitStack) -> None:
        self.probe = Probe()
        self._stores = stores
        self._stack = stack
        self._run_id = new_id("run")
        self._journals: dict[int, LogJournal] = {}
        self._workflow: Workflow

    async def start(self, workflow: Workflow, value: Any) -> None:
        moment = now()
        given = workflow.input.dump_python(value, mode="json")
        submitted = RunSubmitted(
            id=f"{int(moment.timestamp() * 1000)}-0",
            at=moment,
            data=Submitted(workflow=workflow.name, title=workflow.name, input=given),
        )
        await self._submit(workflow, submitted)

    async def _submit(self, workflow: Workflow, submitted: RunSubmitted, epoch: int = 0) -> None:
        self._workflow = workflow
        data = submitted.data
        row = RunRow(
            id=self._run_id, workspace_id=WORKSPACE, workflow=data.workflow, title=data.title, input=data.input,
            created_at=submitted.at, epoch=epoch,
        )  # fmt: skip
        async with self._stores.database.writing() as session:
            await add_run(session, row, encode_entry(submitted))
        await self._stores.log.submit(self._run_id, data.workflow, encode_entry(submitted))

    async def take(self, around: Around | None = None, **wiring: Any) -> RunExecutor:
        """Take the run as if the lease had run out or, of a parked or ended run, Redis had lost it."""
        stores, workflow = self._stores, self._workflow
        minted = await stores.epochs.mint(self._run_id, {workflow.name: workflow.version})
        assert minted is not None
        newest = None
        while newest is None:  # an append of the one who holds it may renew the lease in between
            await self._make_free()
            newest = await stores.leases.take(
                self._run_id, minted.epoch, HOLDER, workflow.name, workflow.version,
                state=minted.state, shipped=minted.shipped,
            )  # fmt: skip
        journal = LogJournal(
            stores.log, self._run_id, minted.epoch, lease_ms=LEASE_MS, floor=minted.shipped, newest_command=newest
        )
        self._journals[minted.epoch] = await self._stack.enter_async_context(journal)
        return wire(workflow, journal, minted.epoch, minted.workspace_id, self.probe, around, **wiring)

    async def _make_free(self) -> None:
        match (await self._stores.lease(self._run_id))["state"]:
            case "held":
                await self._stores.expire_lease(self._run_id)
            case "parked" | "ended":
                await self._stores.redis.delete(keys.lease_key(self._run_id))

    async def command(self, command: Command) -> str:
        cursor = await self._stores.command(self._run_id, command, new_id("client"))
        await self.renew()
        return cursor

    async def renew(self) -> None:
        for epoch, journal in list(self._journals.items()):
            try:
                journal.notify(await self._stores.leases.renew(self._run_id, epoch))
            except StaleEpoch as stale:
                journal.lose(stale)
                self._journals.pop(epoch, None)

    async def events(self) -> list[Event]:
        return await self._stores.log.read(self._run_id)

    async def fork(self, count: int) -> StoresHarness:
        events, other = await self.events(), StoresHarness(self._stores, self._stack)
        submitted = events[0]
        assert isinstance(submitted, RunSubmitted)
        epoch = (await self._stores.row(self._run_id)).epoch
        await other._submit(self._workflow, submitted, epoch)
        entries = (await self._stores.log.entries(self._run_id))[:count]
        commands = [event.id for event in events[:count] if event.type.startswith("command.") and event.epoch == 0]
        pipe = self._stores.redis.pipeline()
        for cursor, body in entries[1:]:
            pipe.xadd(keys.log_key(other._run_id), {"e": body}, id=cursor)
        known = {"epoch": epoch, "last": entries[-1][0]} | ({"command": commands[-1]} if commands else {})
        pipe.hset(keys.lease_key(other._run_id), mapping=known)
        await pipe.execute()
        return other

    async def put_damaged_command(self) -> str:
        return await self.command(PausedByNewer())  # type: ignore[arg-type]  # this version has no such command
