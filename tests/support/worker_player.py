"""A worker played by a test: takes a run by the contract alone, and appends facts to its log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.contract.cursors import START
from app.contract.events import (
    Event,
    ModelCalled,
    ObjectPublished,
    RunCancelled,
    RunFailed,
    RunIncomplete,
    RunStarted,
    RunSucceeded,
    RunWaiting,
    StepFailed,
    StepOutput,
    StepRetrying,
    StepStarted,
    StepSucceeded,
)
from app.contract.manifest import Heartbeat, WorkflowManifest
from app.contract.payloads import (
    Ask,
    Called,
    ErrorData,
    Incomplete,
    Output,
    Published,
    Result,
    Retrying,
    Started,
    StepBegun,
    StepDone,
    StepError,
    WaitingData,
)
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log, Release

ECHO = WorkflowManifest(
    name="echo",
    version="1",
    description="Says it again",
    title="Echo {text}",
    input_schema={
        "type": "object",
        "properties": {"text": {"type": "string", "minLength": 1}, "times": {"type": "integer", "minimum": 1}},
        "required": ["text"],
        "additionalProperties": False,
    },
    output_schema={"type": "string"},
)


async def announce(fleet: Fleet, *manifests: WorkflowManifest, worker: str = "w1") -> None:
    """Announce these workflows, with a beat of a worker that serves them."""
    await fleet.announce(list(manifests))
    await fleet.send_heartbeat(Heartbeat(worker=worker, build="test", workflows={m.name: m.version for m in manifests}))


@dataclass
class WorkerPlayer:
    """Holds one run in one epoch."""

    log: Log
    leases: Leases
    run_id: str
    workflow: str
    epoch: int
    floor: str
    handled: str
    number: int = 0
    cursors: list[str] = field(default_factory=list)

    async def say(self, *events: Event, release: Release = "") -> list[str]:
        """Append these facts in one call; return their cursors."""
        self.number += 1
        stamped = [event.model_copy(update={"epoch": self.epoch}) for event in events]
        cursors = await self.log.append(
            self.run_id,
            self.epoch,
            self.number,
            stamped,
            lease_ms=self.leases.lease_ms,
            floor=self.floor,
            release=release,
            handled=self.handled,
        )
        self.cursors += cursors
        return cursors

    async def start(self) -> list[str]:
        return await self.say(RunStarted(data=Started(workflow=self.workflow, version="1", holder="player")))

    async def begin(self, path: str, attempt: int = 1, **begun: Any) -> list[str]:
        component = path.rpartition("/")[2].partition(":")[0]
        data = StepBegun(component=component, **begun)
        return await self.say(StepStarted(step=path, attempt=attempt, data=data))

    async def write(self, path: str, text: str, offset: int = 0, attempt: int = 1) -> list[str]:
        return await self.say(StepOutput(step=path, attempt=attempt, data=Output(offset=offset, text=text)))

    async def publish(self, path: str, name: str, value: Any, attempt: int = 1) -> list[str]:
        return await self.say(ObjectPublished(step=path, attempt=attempt, data=Published(name=name, value=value)))

    async def call(self, path: str, attempt: int = 1, **called: Any) -> list[str]:
        return await self.say(ModelCalled(step=path, attempt=attempt, data=Called(model="test", **called)))

    async def succeed(self, path: str, result: Any = None, attempt: int = 1) -> list[str]:
        return await self.say(StepSucceeded(step=path, attempt=attempt, data=StepDone(result=result)))

    async def retry(self, path: str, message: str, attempt: int = 1) -> list[str]:
        error = ErrorData(kind="Boom", message=message, step=path)
        return await self.say(StepRetrying(step=path, attempt=attempt, data=Retrying(error=error)))

    async def fail(self, path: str, message: str, attempt: int = 1) -> list[str]:
        error = ErrorData(kind="Boom", message=message, step=path)
        return await self.say(StepFailed(step=path, attempt=attempt, data=StepError(error=error)))

    async def ask(self, *asks: Ask) -> list[str]:
        """Park the run until a person answers."""
        return await self.say(RunWaiting(data=WaitingData(asks=list(asks))), release="parked")

    async def end(self, output: Any = None) -> list[str]:
        return await self.say(RunSucceeded(data=Result(output=output)), release="ended")

    async def end_incomplete(self, output: Any, failed: Sequence[str]) -> list[str]:
        return await self.say(RunIncomplete(data=Incomplete(output=output, failed=list(failed))), release="ended")

    async def end_failed(self, message: str, step: str = "") -> list[str]:
        return await self.say(RunFailed(data=ErrorData(kind="Boom", message=message, step=step)), release="ended")

    async def end_cancelled(self) -> list[str]:
        return await self.say(RunCancelled(), release="ended")


async def take_run(log: Log, leases: Leases, epochs: Epochs, run_id: str) -> WorkerPlayer:
    """Mint an epoch and take the run, as a worker does. All commands so far count as handled."""
    minted = await epochs.mint(run_id)
    assert minted is not None
    newest = await leases.take(run_id, minted.epoch, "player", minted.workflow, "1")
    assert newest is not None
    return WorkerPlayer(log, leases, run_id, minted.workflow, minted.epoch, minted.shipped, newest or START)
