"""Warnings about a Redis that may lose data: what may be lost, and which setting prevents it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from app.stores.redis_risks import find_risks, list_risks, warn_of_risks
from tests.app.stores.redis_servers import running_program
from tests.support.redis_server import RedisServer

FULL = {"appendonly": "yes", "maxmemory": "100mb"}


def connect(server: RedisServer, who: str = "") -> Any:
    redis: Any = Redis
    return redis.from_url(server.url.replace("//", f"//{who}"), decode_responses=True)


@pytest.fixture
def own_server(redis_program: Path, tmp_path: Path) -> Iterator[RedisServer]:
    """A server whose settings a test may change; it persists nothing."""
    folder = tmp_path / "own"
    folder.mkdir()
    with running_program(redis_program, folder) as server:
        yield server


@pytest.fixture
async def client(own_server: RedisServer) -> AsyncIterator[Any]:
    async with connect(own_server) as client:
        yield client


async def set_all(client: Any, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        await client.config_set(name, value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["keeps nothing on disk", "last half second", "appendonly yes"]),
        ({"save": "3600 1"}, ["snapshots only", "minutes ago", "appendonly yes"]),
        ({**FULL, "maxmemory-policy": "allkeys-lru"}, ["allkeys-lru", "104,857,600", "any key", "noeviction"]),
        ({**FULL, "maxmemory-policy": "volatile-ttl"}, ["volatile-ttl", "logs of ended runs", "No run loses"]),
    ],
)
async def test_each_risk_is_described(client: Any, settings: dict[str, str], words: list[str]) -> None:
    await set_all(client, settings)
    (risk,) = await find_risks(client)
    assert [word for word in words if word not in risk] == []


@pytest.mark.parametrize(
    "settings",
    [
        {"appendonly": "yes"},
        {**FULL, "maxmemory-policy": "noeviction"},
        {"appendonly": "yes", "maxmemory": "0", "maxmemory-policy": "allkeys-lru"},  # it is never full
    ],
)
async def test_a_durable_redis_has_no_risks(client: Any, settings: dict[str, str]) -> None:
    await set_all(client, settings)
    assert await find_risks(client) == []


async def test_two_risks_are_two_warnings(client: Any) -> None:
    await client.config_set("maxmemory", "100mb", "maxmemory-policy", "allkeys-random")
    with capture_logs() as logs:
        await warn_of_risks(client)
    assert [(entry["event"], entry["log_level"]) for entry in logs] == [("redis may lose data", "warning")] * 2


@pytest.mark.parametrize(("saved", "words"), [(False, "does not say"), (True, "snapshots only")])
async def test_without_config_the_servers_statistics_are_used(
    client: Any, own_server: RedisServer, saved: bool, words: str
) -> None:
    """CONFIG is forbidden, as on hosted servers."""
    if saved:
        await client.save()
    await client.execute_command("ACL", "SETUSER", "guest", "on", ">word", "~*", "+@all", "-config")
    async with connect(own_server, "guest:word@") as guest:
        (risk,) = await find_risks(guest)
        assert words in risk
        await client.config_set("appendonly", "yes")
        assert await find_risks(guest) == []


async def test_a_redis_that_does_not_answer_is_no_error(client: Any, own_server: RedisServer) -> None:
    await client.execute_command("ACL", "SETUSER", "mute", "on", ">word", "~*", "+@all", "-info")
    async with connect(own_server, "mute:word@") as mute:
        assert await list_risks(mute) == []
    own_server.kill()
    assert await list_risks(client) == []
