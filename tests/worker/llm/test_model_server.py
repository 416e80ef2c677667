"""The tests' model server by itself, controlled over HTTP as from another process."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from typing import Any

import httpx2
import pytest

from tests.model_script import Script
from tests.model_server import ModelServer


def completion(text: str = "Task: take-notes\n\nHello") -> dict[str, Any]:
    return {"model": "any", "messages": [{"role": "user", "content": text}]}


async def test_rules_and_requests_over_http() -> None:
    async with ModelServer() as own, httpx2.AsyncClient(base_url=own.base_url.removesuffix("/v1")) as client:
        rule = await client.post("/control/rules", json={"kind": "take-notes", "status": 503})
        assert rule.json()["id"] == 1
        assert (await client.post("/v1/chat/completions", json=completion())).status_code == 503
        assert (await client.post("/v1/chat/completions", json=completion())).status_code == 200
        listed = (await client.get("/control/requests")).json()
        assert listed["counts"] == {"take-notes": 2}
        assert [asked["outcome"] for asked in listed["requests"]] == ["status 503", "done"]
        assert (await client.get("/v1/models")).json()["data"][0]["id"] == "test"
        assert (await client.post("/control/rules", json={"nonsense": 1})).status_code == 400


async def test_a_held_request_is_released_over_http() -> None:
    async with ModelServer() as own, httpx2.AsyncClient(base_url=own.base_url.removesuffix("/v1")) as client:
        id = (await client.post("/control/rules", json={"hold": True})).json()["id"]
        asking = asyncio.create_task(client.post("/v1/chat/completions", json=completion()))
        await own.wait_for_requests(1, "take-notes")
        assert not asking.done()
        await client.post("/control/release", json={"id": id})
        assert (await asking).status_code == 200


async def test_it_runs_as_a_process_of_its_own() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "tests.model_server", stdout=PIPE)
    try:
        assert process.stdout is not None
        base_url = (await process.stdout.readline()).decode().strip()
        async with httpx2.AsyncClient() as client:
            assert (await client.post(f"{base_url}/chat/completions", json=completion())).status_code == 200
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.parametrize("times", [1, 3])
def test_a_rule_is_used_up(times: int) -> None:
    script = Script().fail("outline", match="bells", status=500, times=times)
    assert script.take("outline", "about whistles") is None
    assert all(script.take("outline", "about bells") for _ in range(times))
    assert script.take("outline", "about bells") is None
