"""A command at every moment of taking, parking, ending and handing over a run: neither slept through nor taken twice.

The stores themselves are the clockwork: each call that a worker makes of them is a moment, and the command comes just
before it, or just after. What is due decides who goes on, as in the product.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.contract.errors import RunEnded
from app.contract.events import Command, CommandAnswer, CommandCancel, CommandRetry, Event
from app.contract.payloads import AnswerData, RetryData
from app.contract.run import Run
from app.contract.status import RunStatus
from app.stores.leases import Leases
from app.stores.log import Log
from tests.app.stores.stores import Stores
from tests.conftest import LEASE_MS
from worker.engine.holder import RunHolder, WorkerIdentity
from worker.runtime import Workflows, ask, component, resource, workflow

FIRST = "echo/first"
CALLS = ("append", "fold", "reserve", "take")

Meddle = Callable[[], Awaitable[None]]


@dataclass
class Moment:
    """A moment before or after the nth call of one kind. `done`: it has come."""

    call: str
    number: int
    after: bool
    meddle: Meddle
    calls: int = 0
    done: bool = False

    async def pass_by(self, call: str, after: bool) -> None:
        if call != self.call or self.done:
            return
        self.calls += not after
        if self.calls == self.number and after == self.after:
            self.done = True
            await self.meddle()


class MeddledLog(Log):
    """A log that runs something else at its calls."""

    def __init__(self, stores: Stores, moment: Moment) -> None:
        super().__init__(stores.redis, stores.archive)
        self._moment = moment

    async def append(
        self, run_id: str, epoch: int, number: int, events: Sequence[Event | str], **how: Any
    ) -> list[str]:
        await self._moment.pass_by("append", False)
        cursors = await super().append(run_id, epoch, number, events, **how)
        await self._moment.pass_by("append", True)
        return cursors

    async def fold(self, run_id: str) -> Run:
        await self._moment.pass_by("fold", False)
        run = await super().fold(run_id)
        await self._moment.pass_by("fold", True)
        return run


class MeddledLeases(Leases):
    """Leases that run something else at their calls."""

    def __init__(self, stores: Stores, moment: Moment) -> None:
        super().__init__(stores.redis, LEASE_MS)
        self._moment = moment

    async def reserve(self, run_id: str) -> bool:
        await self._moment.pass_by("reserve", False)
        reserved = await super().reserve(run_id)
        await self._moment.pass_by("reserve", True)
        return reserved

    async def take(self, *run: Any, **known: Any) -> str | None:
        await self._moment.pass_by("take", False)
        newest = await super().take(*run, **known)
        await self._moment.pass_by("take", True)
        return newest


@dataclass
class Gate:
    reached: asyncio.Event
    open: asyncio.Event


@component
async def first() -> str:
    gate = resource(Gate)
    gate.reached.set()
    await gate.open.wait()
    return "one"


@component
async def second() -> str:
    return "two"


@workflow("echo")
async def echo(value: Any) -> str:
    """Ask a person, and call two steps."""
    return f"{await ask('go', 'go?', str)} {await first()} {await second()}"


@dataclass
class Scene:
    """One run, and workers for it."""

    stores: Stores
    run_id: str
    draining: bool = False

    async def hold(self, moment: Moment | None = None) -> None:
        """Take the run and execute it until it is released."""
        quiet = moment or Moment("", 0, False, self.never)
        stores, gate = self.stores, Gate(asyncio.Event(), asyncio.Event())
        meddled = replace(stores, log=MeddledLog(stores, quiet), leases=MeddledLeases(stores, quiet))
        holder = RunHolder(WorkerIdentity("tester", "test"), Workflows([echo]), meddled, lambda *_: {Gate: gate})
        holding = asyncio.create_task(holder.hold(self.run_id))
        if self.draining and moment:
            reached = asyncio.create_task(gate.reached.wait())
            await asyncio.wait({holding, reached}, return_when=asyncio.FIRST_COMPLETED)
            reached.cancel()
            draining = asyncio.create_task(holder.drain(60))
            gate.open.set()
            await draining
        gate.open.set()
        await holding

    async def never(self) -> None:
        raise AssertionError("nobody is to meddle here")

    async def state(self) -> Run:
        return await self.stores.log.fold(self.run_id)

    async def answer(self) -> None:
        (asked,) = (await self.state()).asks
        command = CommandAnswer(data=AnswerData(ask=asked.ask, name="go", value="yes"))
        await self.stores.command(self.run_id, command, f"answer-{asked.ask}")

    async def settle(self) -> Run:
        """Resume runs as schedulers do: those that are due, and no other."""
        for _ in range(6):
            run = await self.state()
            if run.ended and not run.pending:
                assert not await self.stores.is_due(self.run_id)
                return run
            if run.status is RunStatus.WAITING:
                await self.answer()
            assert await self.stores.is_due(self.run_id), f"slept through: {run.pending or run.status}"
            await self.hold()
        raise AssertionError("the run came to no end")


@pytest.fixture
def database_url(tmp_path: Path, migrated_file: Path) -> str:
    """On SQLite alone, as these races are in Redis."""
    shutil.copy(migrated_file, tmp_path / "longhand.db")
    return f"sqlite+aiosqlite:///{tmp_path / 'longhand.db'}"


def moments() -> Iterator[tuple[str, bool]]:
    return ((call, after) for call in CALLS for after in (False, True))


@pytest.mark.parametrize("kind", ["cancel", "retry", "answer"])
@pytest.mark.parametrize("phase", ["parking", "ending", "handing over"])
async def test_a_command_at_any_moment_is_neither_lost_nor_applied_twice(stores: Stores, phase: str, kind: str) -> None:
    tried = 0
    for call, after in moments():
        number = 1
        while await try_moment(stores, phase, kind, call, number, after):
            number += 1
        tried += number - 1
    assert tried >= 10


async def try_moment(stores: Stores, phase: str, kind: str, call: str, number: int, after: bool) -> bool:
    """Execute one run with the command at one moment. Return False when the moment never came."""
    scene = Scene(stores, await stores.submit({}), draining=phase == "handing over")
    if phase != "parking":
        await scene.hold()
        await scene.answer()
    asked = next((ask.ask for ask in (await scene.state()).asks), "unknown")
    command = make_command(kind, asked)
    sent: list[str] = []

    async def meddle() -> None:
        try:
            sent.append(await stores.command(scene.run_id, command, "late"))
        except RunEnded:
            assert kind != "retry"

    moment = Moment(call, number, after, meddle)
    await scene.hold(moment)
    if not moment.done:
        return False
    await check(scene, await scene.settle(), kind, sent)
    return True


def make_command(kind: str, asked: str) -> Command:
    if kind == "cancel":
        return CommandCancel()
    if kind == "retry":
        return CommandRetry(data=RetryData(steps=[FIRST]))
    return CommandAnswer(data=AnswerData(ask=asked, name="go", value="late"))


async def check(scene: Scene, run: Run, kind: str, sent: list[str]) -> None:
    """Check that each command was applied once with its effect, or was refused with a reason."""
    events = await scene.stores.log.read(scene.run_id)
    judged = [e.data.command for e in events if e.type in ("command.applied", "command.refused")]  # type: ignore[union-attr]
    assert sorted(judged) == sorted(e.id for e in events if isinstance(e, CommandCancel | CommandRetry | CommandAnswer))
    assert all(run.refused.values())
    if kind == "cancel" and sent:
        assert run.status is RunStatus.CANCELLED
        return
    assert run.status is RunStatus.SUCCEEDED and run.output == "yes one two"
    if kind == "retry" and sent and sent[0] not in run.refused:
        place = [event.id for event in events].index(sent[0])
        assert [event.step for event in events[place:] if event.type == "step.started"].count(FIRST) == 1
