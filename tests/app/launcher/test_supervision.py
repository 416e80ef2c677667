from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.launcher.errors import CannotStart
from app.launcher.pid_locks import end_orphans, open_locked
from app.launcher.process import Backoff
from app.launcher.supervision import Supervision
from tests.app.launcher.recording import (
    Recording,
    is_alive,
    python_command,
    wait_until_gone,
)

PROGRAMS = Path(__file__).parent / "programs"
AT_ONCE = Backoff(first=0.01, cap=0.01)


@pytest.fixture
def said() -> Recording:
    return Recording()


@pytest.fixture
def supervision(tmp_path: Path, said: Recording) -> Supervision:
    return Supervision(tmp_path, said, AT_ONCE)


def parse_pids(line: str) -> list[int]:
    return [int(word) for word in line.split()[1:]]


async def test_a_process_that_is_killed_is_started_again(supervision: Supervision, said: Recording) -> None:
    supervision.start(python_command("child", PROGRAMS / "obedient.py"))
    [first] = parse_pids(await said.wait_for("child", "pid"))
    os.kill(first, signal.SIGKILL)
    await said.wait_for("longhand", "child was ended by SIGKILL; starting it again")
    [second] = parse_pids(await said.wait_for("child", "pid"))
    assert second != first
    assert supervision.pids == {"child": second}
    await supervision.stop(asyncio.Event())
    await wait_until_gone(first, second)


async def test_a_process_that_ends_by_itself_is_started_again_and_again(
    supervision: Supervision, said: Recording, tmp_path: Path
) -> None:
    failing = tmp_path / "failing.py"
    failing.write_text("raise SystemExit(3)")
    supervision.start(python_command("child", failing))
    for _ in range(3):
        await said.wait_for("longhand", "child ended with exit code 3; starting it again")
    await supervision.stop(asyncio.Event())
    assert not is_alive(int((tmp_path / "child.lock").read_text()))


def test_the_wait_doubles_up_to_its_cap() -> None:
    backoff = Backoff(first=0.5, cap=30)
    assert [backoff.wait(deaths) for deaths in (1, 2, 3, 7, 5000)] == [0.5, 1, 2, 30, 30]


async def test_tiers_end_in_reverse_order(supervision: Supervision, said: Recording) -> None:
    supervision.start(python_command("store", PROGRAMS / "obedient.py"))
    await said.wait_for("store", "pid")
    supervision.start(*(python_command(name, PROGRAMS / "obedient.py") for name in ("web", "worker")))
    names = {said_by for said_by, _ in said.lines}
    while names != {"store", "web", "worker"}:
        await said.wait_for(({"web", "worker"} - names).pop(), "pid")
        names = {said_by for said_by, _ in said.lines}
    await supervision.stop(asyncio.Event())
    ended = [said_by for said_by, line in said.lines if line == "asked to end"]
    assert sorted(ended[:2]) == ["web", "worker"]
    assert ended[2:] == ["store"]


async def test_what_does_not_end_in_time_is_killed_with_its_children(supervision: Supervision, said: Recording) -> None:
    supervision.start(python_command("child", PROGRAMS / "stubborn.py", stop_seconds=0.2))
    pids = parse_pids(await said.wait_for("child", "pid"))
    await supervision.stop(asyncio.Event())
    assert len(pids) == 2
    await wait_until_gone(*pids)


async def test_a_hurried_stop_does_not_wait(supervision: Supervision, said: Recording) -> None:
    supervision.start(python_command("child", PROGRAMS / "stubborn.py", stop_seconds=3600))
    pids = parse_pids(await said.wait_for("child", "pid"))
    hurry = asyncio.Event()
    stopping = asyncio.create_task(supervision.stop(hurry))
    hurry.set()
    await asyncio.wait_for(stopping, 30)
    await wait_until_gone(*pids)


async def test_what_holds_data_is_not_hurried(supervision: Supervision, said: Recording) -> None:
    supervision.start(replace(python_command("store", PROGRAMS / "obedient.py"), can_be_hurried=False))
    await said.wait_for("store", "pid")
    hurry = asyncio.Event()
    hurry.set()
    await supervision.stop(hurry)
    assert said.lines[-1] == ("store", "asked to end")


async def test_a_program_that_cannot_be_run_is_tried_again(supervision: Supervision, said: Recording) -> None:
    supervision.start(python_command("child", PROGRAMS / "there-is-none.py"))
    await said.wait_for("child", "there-is-none.py")
    await said.wait_for("longhand", "starting it again")
    await supervision.stop(asyncio.Event())


async def test_a_command_that_fails_says_so(supervision: Supervision, said: Recording, tmp_path: Path) -> None:
    failing = tmp_path / "failing.py"
    failing.write_text("print('the reason'); raise SystemExit(3)")
    with pytest.raises(CannotStart, match=r"`migrate` failed \(exit code 3\)"):
        await supervision.run(python_command("migrate", failing))
    assert said.lines == [("migrate", "the reason")]


async def test_a_cancelled_command_is_ended(supervision: Supervision, said: Recording) -> None:
    running = asyncio.create_task(supervision.run(python_command("migrate", PROGRAMS / "stubborn.py")))
    pids = parse_pids(await said.wait_for("migrate", "pid"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await wait_until_gone(*pids)


async def test_long_lines_and_last_words_pass_through(
    supervision: Supervision, said: Recording, tmp_path: Path
) -> None:
    talking = tmp_path / "talking.py"
    talking.write_text("print('a' * 300_000); print('grün', end='')")
    await supervision.run(python_command("child", talking))
    assert "".join(line for _, line in said.lines) == "a" * 300_000 + "grün"


async def test_the_kernel_ends_the_children_of_a_killed_supervisor(tmp_path: Path) -> None:
    supervisor = await start_supervisor(tmp_path)
    pids = await read_pids(supervisor)
    supervisor.kill()
    await supervisor.wait()
    await wait_until_gone(pids["obedient"], pids["stubborn"])
    await end_orphans(tmp_path, stop_seconds=0.1)


async def test_leftovers_are_ended_before_a_new_start(tmp_path: Path) -> None:
    """Leave a process that the kernel does not end: the stubborn program's child, which still holds the lock."""
    supervisor = await start_supervisor(tmp_path)
    pids = await read_pids(supervisor)
    supervisor.kill()
    await supervisor.wait()
    await wait_until_gone(pids["stubborn"])
    assert open_locked(tmp_path / "stubborn.lock") is None
    assert is_alive(pids["child"])
    await end_orphans(tmp_path, stop_seconds=0.1)
    await wait_until_gone(pids["child"])


async def start_supervisor(folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, str(PROGRAMS / "supervising.py"), str(folder),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )  # fmt: skip


async def read_pids(supervisor: asyncio.subprocess.Process) -> dict[str, int]:
    """Read the ids that the programs print, until there are all three."""
    assert supervisor.stdout is not None
    pids: dict[str, int] = {}
    async with asyncio.timeout(90):
        while len(pids) < 3:
            name, _, line = (await supervisor.stdout.readline()).decode().partition("│ ")
            pids |= zip((name.strip(), "child"), parse_pids(line), strict=False)
    return pids
