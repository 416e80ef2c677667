from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.app.live.processes import WebProcess, running_web
from tests.app.live.valkey import Valkey, running_valkey
from tests.app.live.writing import Stores, open_stores


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    async with running_valkey(tmp_path) as server:
        yield server


@pytest.fixture
async def stores(valkey: Valkey, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_stores(valkey.url, tmp_path) as opened:
        yield opened


@pytest.fixture
async def web(valkey: Valkey, stores: Stores) -> AsyncIterator[WebProcess]:
    async with running_web(valkey.url, str(stores.database.engine.url)) as process:
        yield process
