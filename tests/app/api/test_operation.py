from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.contract.settings import Settings
from app.main import create_app
from app.stores.archive import Archive
from app.stores.database import Database
from app.stores.epochs import Epochs
from app.stores.fleet import Fleet
from app.stores.leases import Leases
from app.stores.log import Log
from tests.app.conftest import make_browser, start_echo
from tests.conftest import make_settings
from tests.support.redis_server import RedisServer
from tests.support.serving import serving
from tests.support.worker_player import ECHO, announce, take_run


async def test_it_is_ready_once_a_worker_lives(app: Litestar, fleet: Fleet) -> None:
    async with serving(app) as address, httpx2.AsyncClient(base_url=address, trust_env=False) as client:
        assert (await client.get("/healthz")).json() == {"status": "ok"}
        early = await client.get("/readyz")
        assert early.status_code == 503
        assert early.json()["checks"] == {"redis": "ok", "sql": "ok", "workers": "none alive"}
        await announce(fleet, ECHO)
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        (warning,) = ready.json()["warnings"]
        assert "Redis keeps nothing on disk" in warning


async def test_metrics_count_runs_and_workers(ann: httpx2.AsyncClient) -> None:
    await start_echo(ann)
    text = (await ann.get("/metrics")).text
    assert 'longhand_runs{status="queued"} 1.0' in text
    assert "longhand_workers 1.0" in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/api/nothing", 404), ("GET", "/api", 404), ("DELETE", "/api/runs", 405), ("GET", "/nothing", 404)],
)
async def test_errors_have_the_form_of_their_place(
    ann: httpx2.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await ann.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json") == path.startswith("/api")
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status == 405:
        assert "GET" in answer.headers["allow"]


async def test_the_schema_describes_the_api_alone(anonymous: httpx2.AsyncClient) -> None:
    schema = (await anonymous.get("/api/schema")).json()
    assert "/api/runs/{run_id}/events" in schema["paths"]
    assert all(path.startswith("/api/") for path in schema["paths"])


async def test_static_files_are_cached(anonymous: httpx2.AsyncClient) -> None:
    answer = await anonymous.get("/static/app.css")
    assert answer.status_code == 200
    assert "max-age" in answer.headers["cache-control"]
    assert "set-cookie" not in answer.headers
    assert (await anonymous.get("/static/../app/main.py")).status_code == 404


async def test_without_a_redis_address_it_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="LONGHAND_REDIS_URL"):
        create_app(make_settings(data_dir=tmp_path))


async def test_a_run_is_accepted_and_answered_for_while_redis_is_away(
    settings: Settings, own_redis: RedisServer
) -> None:
    app = create_app(settings.model_copy(update={"redis_url": own_redis.url}))
    async with serving(app) as address, make_browser(address) as client:
        own_redis.kill()
        answer = await client.post("/api/workflows/onboard-site/runs", json={"url": "example.com"})
        assert (answer.status_code, answer.json()["status"]) == (202, "queued")
        away = await client.get(f"/api/runs/{answer.json()['id']}")
        assert (away.status_code, away.json()["status"]) == (503, 503)
        assert (await client.get("/readyz")).json()["checks"]["redis"] == "does not answer"
        assert (await client.get("/metrics")).status_code == 200
        own_redis.start()
        assert (await client.get(f"/api/runs/{answer.json()['id']}")).json()["status"] == "queued"


async def test_a_stream_lives_through_a_redis_that_comes_back_empty(
    settings: Settings, own_redis: RedisServer, database: Database, epochs: Epochs
) -> None:
    app = create_app(settings.model_copy(update={"redis_url": own_redis.url}))
    redis: Redis = Redis.from_url(own_redis.url, decode_responses=True)
    async with serving(app) as address, make_browser(address) as client:
        await announce(Fleet(redis), ECHO)
        run_id = await start_echo(client)
        async with client.stream(
            "GET", f"/api/runs/{run_id}/events", headers={"accept": "application/x-ndjson"}
        ) as got:
            lines = got.aiter_lines()
            seen = [json.loads(await anext(lines))["type"]]
            own_redis.kill()
            own_redis.start()
            worker = await take_run(Log(redis, Archive(database)), Leases(redis, 10_000), epochs, run_id)
            await worker.start()
            await worker.end()
            seen += [json.loads(line)["type"] async for line in lines]
    await redis.aclose()
    assert seen == ["run.submitted", "run.started", "run.succeeded"]


async def test_a_stream_whose_cursor_was_lost_ends_and_the_next_is_told(
    settings: Settings, own_redis: RedisServer, database: Database, epochs: Epochs
) -> None:
    app = create_app(settings.model_copy(update={"redis_url": own_redis.url}))
    redis: Redis = Redis.from_url(own_redis.url, decode_responses=True)
    async with serving(app) as address, make_browser(address) as client:
        await announce(Fleet(redis), ECHO)
        run_id = await start_echo(client)
        worker = await take_run(Log(redis, Archive(database)), Leases(redis, 10_000), epochs, run_id)
        (lost,) = await worker.start()
        path = f"/api/runs/{run_id}/events"
        async with client.stream("GET", path, headers={"accept": "application/x-ndjson"}) as got:
            lines = got.aiter_lines()
            assert [json.loads(await anext(lines))["type"] for _ in range(2)] == ["run.submitted", "run.started"]
            own_redis.kill()
            own_redis.start()
            assert [line async for line in lines] == []
        assert (await client.get(path, params={"after": lost})).status_code == 409
    await redis.aclose()
