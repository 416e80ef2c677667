"""The harness of the runtime's tests: a run on any kind of log, and the probe to which its components report."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal, Protocol

from app.contract.events import Command, CommandAnswer, CommandCancel, CommandRetry, Envelope, Event
from app.contract.payloads import AnswerData, Nothing, RetryData
from app.contract.run import Run
from worker.runtime import Workflow
from worker.runtime.in_memory import MemoryLog
from worker.runtime.journal import Journal, Release
from worker.runtime.run_executor import RunExecutor

Around = Callable[[Journal], Journal]


class Probe:
    """Records what the components of a test did, and holds them at gates until the test opens these."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail: dict[str, list[BaseException]] = defaultdict(list)
        self.values: dict[str, Any] = {}
        self.gates: dict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self.reached: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def hit(self, name: str) -> None:
        """Record a call, and raise the error that the test planned for it."""
        self.calls.append(name)
        self.reached[name].set()
        if self.fail[name]:
            raise self.fail[name].pop(0)

    async def hold(self, name: str) -> None:
        """Record that the gate was reached, and wait until the test opens it."""
        self.reached[name].set()
        await self.gates[name].wait()


class PausedByNewer(Envelope):
    """A command of a version that is newer than this one."""

    type: Literal["command.pause"] = "command.pause"
    data: Nothing = Nothing()


def wire(
    workflow: Workflow,
    journal: Journal,
    epoch: int,
    workspace_id: str,
    probe: Probe,
    around: Around | None = None,
    **wiring: Any,
) -> RunExecutor:
    """Return an executor whose components find the probe."""
    wiring.setdefault("resources", {Probe: probe})
    seen = around(journal) if around else journal
    return RunExecutor(workflow, seen, epoch=epoch, workspace_id=workspace_id, **wiring)


class Harness(Protocol):
    """One run on some log."""

    probe: Probe

    async def start(self, workflow: Workflow, value: Any) -> None:
        """Submit a run of this workflow."""

    async def take(self, around: Around | None = None, **wiring: Any) -> RunExecutor:
        """Take the run for a new epoch, whatever its state: also by mistake, and also from somebody who holds it."""
        ...

    async def command(self, command: Command) -> str:
        """Append a command, and notify whoever holds the run; return its cursor. Raise `RunEnded`."""
        ...

    async def renew(self) -> None:
        """Renew the leases of all who hold the run, or did: so they learn of commands, and of a newer epoch."""

    async def events(self) -> list[Event]:
        """Return the events of the log."""
        ...

    async def fork(self, count: int) -> Harness:
        """Return another run, queued, as if only the first `count` events of this one had reached the log."""
        ...

    async def put_damaged_command(self) -> str:
        """Append a command that this version cannot read; return its cursor."""
        ...


class MemoryHarness:
    """A run on a `MemoryLog`."""

    def __init__(self) -> None:
        self.probe = Probe()
        self.log: MemoryLog

    async def start(self, workflow: Workflow, value: Any) -> None:
        self.log = MemoryLog(workflow, value)

    async def take(self, around: Around | None = None, **wiring: Any) -> RunExecutor:
        journal = self.log.take()
        return wire(self.log.workflow, journal, journal.epoch, "ws", self.probe, around, **wiring)

    async def command(self, command: Command) -> str:
        return self.log.command(command)

    async def renew(self) -> None:
        """A log in memory notifies everybody at once."""

    async def events(self) -> list[Event]:
        return self.log.events

    async def fork(self, count: int) -> MemoryHarness:
        other = MemoryHarness()
        other.log = MemoryLog(self.log.workflow, self.log.run.input)
        other.log.entries[:] = self.log.entries[:count]
        other.log.epoch = self.log.epoch
        newest = [event.id for event in other.log.events if event.type.startswith("command.") and event.epoch == 0]
        other.log.newest_command = newest[-1] if newest else other.log.newest_command
        return other

    async def put_damaged_command(self) -> str:
        return await self.command(PausedByNewer())  # type: ignore[arg-type]  # this version has no such command


class Driver:
    """A harness with shorthands that many tests use."""

    def __init__(self, harness: Harness) -> None:
        self.harness = harness
        self.probe = harness.probe
        self._tasks: list[asyncio.Task[Release]] = []

    async def start(self, workflow: Workflow, value: Any = None) -> None:
        await self.harness.start(workflow, value)

    async def execute(self, around: Around | None = None, **wiring: Any) -> Run:
        """Execute the run in a new epoch until it is released; return its state."""
        await (await self.harness.take(around, **wiring)).execute()
        return await self.run()

    async def begin(self, **wiring: Any) -> tuple[RunExecutor, asyncio.Task[Release]]:
        """Execute beside the test."""
        executor = await self.harness.take(**wiring)
        task = asyncio.create_task(executor.execute())
        self._tasks.append(task)
        return executor, task

    async def run(self) -> Run:
        run = Run(id="run_test")
        for event in await self.events():
            run.apply(event)
        return run

    async def events(self, *kinds: str) -> list[Any]:
        return [event for event in await self.harness.events() if not kinds or event.type in kinds]

    async def kinds(self) -> list[str]:
        return [event.type for event in await self.harness.events()]

    async def fork(self, count: int) -> Driver:
        return Driver(await self.harness.fork(count))

    async def command(self, command: Command) -> str:
        return await self.harness.command(command)

    async def cancel(self) -> str:
        return await self.command(CommandCancel())

    async def retry(self, *steps: str, guidance: str = "") -> str:
        return await self.command(CommandRetry(data=RetryData(steps=list(steps), guidance=guidance)))

    async def answer(self, name: str, value: Any, ask: str = "") -> str:
        """Answer the open ask of that name, or the ask with that id."""
        found = ask or next(open_ask.ask for open_ask in (await self.run()).asks if open_ask.name == name)
        return await self.command(CommandAnswer(data=AnswerData(ask=found, name=name, value=value)))

    async def started(self, path: str) -> list[Any]:
        return [event for event in await self.events("step.started") if event.step == path]

    async def saw(self, kind: str, path: str, count: int) -> None:
        """Return when the log has so many events of a kind from that step."""
        while len([event for event in await self.events(kind) if event.step == path]) < count:
            await asyncio.sleep(0.001)
