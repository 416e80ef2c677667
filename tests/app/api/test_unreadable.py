"""Entries that this version cannot read: shown as such, everywhere, and in nobody's way."""

from __future__ import annotations

from dataclasses import replace

import httpx2
from redis.asyncio import Redis

from app.contract import keys
from app.stores.log import Log
from app.stores.stores import Stores
from app.stores.unshipped import Unshipped
from tests.app.conftest import Take, start_echo
from worker.engine.archiver import Archiver

BODIES = ("not json", '{"type":"step.dreamt","step":"echo","data":{"of":"sheep"}}', '{"type":"step.message"}')


async def look(client: httpx2.AsyncClient, run_id: str, cursors: list[str]) -> None:
    page = await client.get(f"/runs/{run_id}")
    assert page.status_code == 200 and "Said aloud." in page.text
    assert page.text.count("step--unreadable") == len(BODIES)
    events = (await client.get(f"/api/runs/{run_id}/events")).json()["events"]
    assert [event["id"] for event in events if event["type"] == "unreadable"] == cursors
    after = await client.get(f"/api/runs/{run_id}/events", params={"after": cursors[0]})
    assert [event["id"] for event in after.json()["events"]][:2] == cursors[1:]
    for part in ("", "/trace", "/output"):
        assert (await client.get(f"/api/runs/{run_id}{part}")).status_code == 200


async def test_they_stand_in_page_and_api_also_from_the_archive(
    ann: httpx2.AsyncClient, take: Take, log: Log, stores: Stores, redis: Redis
) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.begin("echo")
    cursors: list[str] = [await redis.xadd(keys.log_key(run_id), {"e": body}) for body in BODIES]
    await worker.write("echo", "Said aloud.")
    await worker.succeed("echo", "Said aloud.")
    await worker.end("Said aloud.")
    await look(ann, run_id, cursors)
    await Archiver(replace(stores, unshipped=Unshipped(redis, keep_ms=1))).archive_batch()
    while await redis.exists(keys.log_key(run_id)):
        pass
    await look(ann, run_id, cursors)
