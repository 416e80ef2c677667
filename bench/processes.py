"""Processes that a bench starts, and the processor time and memory that they use."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from app.launcher.embedded_redis import prepare_redis, wait_for_redis

ROOT = Path(__file__).parents[1]
_TICKS = os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def running(
    *arguments: str, environment: Mapping[str, str] | None = None, folder: Path = ROOT, quiet: bool = False
) -> AsyncIterator[int]:
    """Run a process during the block, and end it with SIGTERM; yield its id. `quiet`: do not show its output."""
    output = asyncio.subprocess.DEVNULL if quiet else None
    process = await asyncio.create_subprocess_exec(
        *arguments,
        cwd=folder,
        env={**os.environ, **(environment or {})},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )
    try:
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            process.kill()
            await process.wait()


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Return the command that runs a module of ours."""
    return (sys.executable, "-m", module, *arguments)


@asynccontextmanager
async def running_redis(folder: Path) -> AsyncIterator[str]:
    """Run the Redis of `longhand up`, configured as there (append-only file, fsync each second); yield its address."""
    prepared = await prepare_redis(folder)
    async with running(*prepared.command.arguments, folder=folder, quiet=True):
        await wait_for_redis(prepared.url)
        yield prepared.url


async def output_of(*arguments: str, folder: Path = ROOT, environment: Mapping[str, str] | None = None) -> str:
    """Return what a process prints; end it with SIGTERM when cancelled. `environment`: its whole one, else this one's.

    Raise `RuntimeError` with the end of its error output when it fails.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *arguments, cwd=folder, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe
    )
    try:
        out, complaint = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    if process.returncode:
        raise RuntimeError(complaint.decode(errors="replace").strip()[-600:])
    return out.decode()


def cpu_seconds(process_id: int) -> float:
    """Return the processor time (s) that a process has used."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_bytes(process_id: int) -> int:
    """Return the memory (RSS, bytes) of a process."""
    return int(Path(f"/proc/{process_id}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
