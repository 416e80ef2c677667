"""The real `longhand up`, with all its real processes."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

from app.launcher.pid_locks import end_orphans, lock_data_folder
from tests.app.launcher.recording import wait_until_gone
from tests.support.redis_server import RedisServer

ROOT = Path(__file__).parents[3]
NAMES = ("redis", "web", "worker")


class Up:
    """A `longhand up` on a data folder of its own."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path) -> None:
        self.process = process
        self._folder = folder
        self.said: list[str] = []

    @property
    def pids(self) -> dict[str, int]:
        return {name: int((self._folder / "processes" / f"{name}.lock").read_text()) for name in NAMES}

    async def wait_for(self, text: str) -> str:
        """Wait for the next line of output with the text."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line)
                if text in line:
                    return line
        raise AssertionError(f"it ended without saying {text!r}: {''.join(self.said)}")

    async def wait_for_address(self) -> str:
        return (await self.wait_for("Longhand is ready: ")).split("ready: ")[1].split()[0]

    async def end(self, signal_number: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(signal_number)
        return await self.read_ending()

    async def read_ending(self) -> tuple[int, str]:
        """Wait for the end; return the exit code and the rest of the output."""
        output, _ = await asyncio.wait_for(self.process.communicate(), 60)
        return await self.process.wait(), output.decode()


@asynccontextmanager
async def running_up(folder: Path, **settings: str) -> AsyncIterator[Up]:
    others = {name: value for name, value in os.environ.items() if not name.startswith("LONGHAND_")}
    own = {"LONGHAND_DATA_DIR": str(folder), "LONGHAND_PORT": "0", **settings}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.cli", "up"),
        cwd=folder.parent,
        env={**others, "PYTHONPATH": str(ROOT), **own},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Up(process, folder)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        await end_orphans(folder / "processes")


async def test_it_gets_ready_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running_up(tmp_path / "data") as up:
        address = await up.wait_for_address()
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address}/readyz")).status_code == 200
        pids = up.pids
        code, output = await up.end(signal.SIGTERM)
        assert code == 0
        assert output.rstrip().endswith("stopped")
        await wait_until_gone(*pids.values())


async def test_each_of_its_processes_comes_back(tmp_path: Path) -> None:
    async with running_up(tmp_path / "data") as up:
        address = await up.wait_for_address()
        for name, pid in up.pids.items():
            os.kill(pid, signal.SIGKILL)
            await up.wait_for(f"{name} was ended by SIGKILL; starting it again")
        await wait_until_ready(address)
        code, _ = await up.end(signal.SIGINT)
        assert code == 0


async def test_after_a_kill_the_next_one_starts_on_the_same_data(tmp_path: Path) -> None:
    async with running_up(tmp_path / "data") as up:
        await up.wait_for_address()
        pids = up.pids
        await up.end(signal.SIGKILL)
        await wait_until_gone(*pids.values())
    async with running_up(tmp_path / "data") as up:
        await up.wait_for_address()
        code, _ = await up.end(signal.SIGTERM)
        assert code == 0


async def test_a_stop_while_it_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    async with running_up(tmp_path / "data") as up:
        await up.wait_for("Redis: ")
        redis = int((tmp_path / "data" / "processes" / "redis.lock").read_text())
        code, _ = await up.end(signal.SIGTERM)
        assert code == 0
        await wait_until_gone(redis)


async def test_with_a_redis_of_ones_own_each_process_says_what_it_may_lose(
    tmp_path: Path, own_redis: RedisServer, migrated_file: Path
) -> None:
    (tmp_path / "data").mkdir()
    shutil.copy(migrated_file, tmp_path / "data" / "longhand.db")
    async with running_up(tmp_path / "data", LONGHAND_REDIS_URL=own_redis.url) as up:
        await up.wait_for_address()
        code, _ = await up.end(signal.SIGTERM)
    assert code == 0
    said = [line.split()[0] for line in up.said if "Redis keeps nothing on disk" in line]
    assert sorted(said) == ["longhand", "web", "worker"]


async def test_a_data_folder_in_use_is_refused(tmp_path: Path) -> None:
    with lock_data_folder(tmp_path / "data"):
        async with running_up(tmp_path / "data") as up:
            code, output = await up.read_ending()
    assert code == 1
    assert f"already runs with the data folder {tmp_path / 'data'} (process {os.getpid()})" in output


async def test_a_port_in_use_is_refused_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with running_up(tmp_path / "data", LONGHAND_PORT=str(port)) as up:
            code, output = await up.read_ending()
    assert code == 1
    assert f"Port {port} of 127.0.0.1 is in use" in output
    assert not (tmp_path / "data" / "redis").exists()


async def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    async with running_up(tmp_path / "data", LONGHAND_PORT="eighty") as up:
        code, output = await up.read_ending()
    assert code == 1
    assert "LONGHAND_PORT: Input should be a valid integer" in output


async def wait_until_ready(address: str) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while True:
            try:
                if (await client.get(f"{address}/readyz")).status_code == 200:
                    return
            except httpx2.HTTPError:
                pass
            await asyncio.sleep(0.05)
