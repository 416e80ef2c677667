"""Real worker processes, a Redis to kill, and a model server that a test controls."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.conftest import make_settings
from tests.model_server import ModelServer
from tests.support.durable_redis import DurableRedis, durable_redis
from tests.support.worker_process import Deployment, running_deployment


@pytest.fixture
def kept_redis(tmp_path: Path) -> Iterator[DurableRedis]:
    with durable_redis(tmp_path / "redis") as server:
        yield server


@pytest.fixture
async def model() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def deployment(
    tmp_path: Path, kept_redis: DurableRedis, migrated_file: Path, model: ModelServer
) -> AsyncIterator[Deployment]:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    shutil.copy(migrated_file, data_dir / "longhand.db")
    settings = make_settings(data_dir=data_dir, redis_url=kept_redis.url)
    wiring = {
        "LONGHAND_MODEL": "openai:test",
        "LONGHAND_MODEL_BASE_URL": model.base_url,
        "LONGHAND_MODEL_API_KEY": "secret",
    }
    async with running_deployment(settings, tmp_path, **wiring) as opened:
        yield opened
