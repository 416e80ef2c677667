"""The application behind a real server, and its clients."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx2
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.accounts.sessions import COOKIE, new_session
from app.contract.settings import Settings
from app.main import create_app
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log
from tests.support.openapi_check import check_documented
from tests.support.serving import serving
from tests.support.worker_player import ECHO, WorkerPlayer, announce, take_run

Take = Callable[[str], Awaitable[WorkerPlayer]]


@pytest.fixture
def app(settings: Settings, redis: Redis) -> Litestar:
    """Return the application, on an emptied Redis."""
    return create_app(settings)


@pytest.fixture
async def address(app: Litestar, fleet: Fleet) -> AsyncIterator[str]:
    """Yield the address at which the application answers; a worker has announced `echo`."""
    await announce(fleet, ECHO)
    async with serving(app) as address:
        yield address


def make_client(address: str, **headers: str) -> httpx2.AsyncClient:
    """Return a client that fails where the API responds otherwise than its schema says."""
    hooks = {"response": [check_documented]}
    return httpx2.AsyncClient(base_url=address, headers=headers, timeout=30, trust_env=False, event_hooks=hooks)


def make_browser(address: str) -> httpx2.AsyncClient:
    """Return a client with a session cookie of its own."""
    client = make_client(address)
    client.cookies.set(COOKIE, new_session())
    return client


@pytest.fixture
async def anonymous(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with make_client(address) as client:
        yield client


@pytest.fixture
async def ann(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    async with make_browser(address) as client:
        yield client


@pytest.fixture
async def bob(address: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield the client of another person, who owns a run too."""
    async with make_browser(address) as client:
        assert (await client.post("/api/workflows/echo/runs", json={"text": "bob's"})).status_code == 202
        yield client


@pytest.fixture
def take(log: Log, leases: Leases, epochs: Epochs) -> Take:
    """Take a run as a worker does."""

    async def take_one(run_id: str) -> WorkerPlayer:
        return await take_run(log, leases, epochs, run_id)

    return take_one


async def start_echo(client: httpx2.AsyncClient, text: str = "hello") -> str:
    """Start a run of `echo`; return its id."""
    answer = await client.post("/api/workflows/echo/runs", json={"text": text})
    assert answer.status_code == 202, answer.text
    run_id: str = answer.json()["id"]
    return run_id
