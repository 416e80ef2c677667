"""A command reads its run once: one row from SQL and one fold of the log, up to the response."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
from litestar import Litestar
from redis.asyncio import Redis
from sqlalchemy import event

from app.contract.keys import log_key
from app.contract.payloads import Ask
from app.contract.run import Run
from app.stores.log import Log
from tests.app.conftest import Take, start_echo
from tests.app.web.conftest import Ship

STEP = "echo/say"
ASK = Ask(ask="a1", name="size", step="echo", answer_schema={"type": "string"})


class Reads:
    """Counts of what the application has read."""

    def __init__(self) -> None:
        self.rows = self.folds = self.whole_logs = 0


@contextmanager
def counting(app: Litestar) -> Iterator[Reads]:
    """Count on the application's real stores, within the block."""
    reads, engine, log, redis = Reads(), app.state.database.engine.sync_engine, app.state.log, app.state.stores.redis
    execute_command = redis.execute_command

    def count_rows(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        reads.rows += "runs.input" in statement

    async def fold(run_id: str) -> Run:
        reads.folds += 1
        return await Log.fold(log, run_id)

    async def count_whole_logs(*command: Any, **options: Any) -> Any:
        reads.whole_logs += command[0] == "XRANGE" and command[2] == "-"
        return await execute_command(*command, **options)

    event.listen(engine, "before_cursor_execute", count_rows)
    log.fold, redis.execute_command = fold, count_whole_logs
    try:
        yield reads
    finally:
        event.remove(engine, "before_cursor_execute", count_rows)
        del log.fold, redis.execute_command


async def run_with_a_failed_step(client: httpx2.AsyncClient, take: Take) -> str:
    run_id = await start_echo(client)
    player = await take(run_id)
    await player.start()
    await player.begin(STEP)
    await player.fail(STEP, "no")
    await player.end_incomplete("", [STEP])
    return run_id


async def run_that_asks(client: httpx2.AsyncClient, take: Take) -> str:
    run_id = await start_echo(client)
    player = await take(run_id)
    await player.start()
    await player.ask(ASK)
    return run_id


FORMS: list[tuple[Any, str, dict[str, str], int]] = [
    (run_with_a_failed_step, "retries", {"step": STEP, "guidance": "louder"}, 303),
    (run_with_a_failed_step, "cancellation", {}, 409),
    (run_that_asks, "retries", {}, 409),
    (run_that_asks, "cancellation", {}, 303),
    (run_that_asks, "answers/size", {"ask": "a1", "value": '"large"'}, 303),
    (run_that_asks, "answers/size", {"ask": "a1", "value": "1"}, 400),
    (run_that_asks, "answers/size", {"ask": "a0", "value": '"large"'}, 409),
]
REQUESTS: list[tuple[Any, str, dict[str, Any] | None, int]] = [
    (run_with_a_failed_step, "retries", {"step": STEP}, 202),
    (run_with_a_failed_step, "cancellation", None, 409),
    (run_that_asks, "cancellation", None, 202),
    (run_that_asks, "answers/size", {"ask": "a1", "value": "large"}, 202),
    (run_that_asks, "answers/size", {"ask": "a1", "value": 1}, 400),
]


@pytest.mark.parametrize(("prepare", "path", "fields", "status"), FORMS)
async def test_a_form_reads_its_run_once(
    app: Litestar, ann: httpx2.AsyncClient, take: Take, prepare: Any, path: str, fields: dict[str, str], status: int
) -> None:
    run_id = await prepare(ann, take)
    with counting(app) as reads:
        response = await ann.post(f"/runs/{run_id}/{path}", data=fields)
    assert response.status_code == status
    assert (reads.rows, reads.folds, reads.whole_logs) == (1, 1, 1)


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
@pytest.mark.parametrize(("prepare", "path", "body", "status"), REQUESTS)
async def test_a_request_reads_its_run_once(
    app: Litestar, ann: httpx2.AsyncClient, take: Take,
    prepare: Any, path: str, body: dict[str, Any] | None, status: int, headers: dict[str, str],
) -> None:  # fmt: skip
    run_id = await prepare(ann, take)
    with counting(app) as reads:
        response = await ann.post(f"/api/runs/{run_id}/{path}", json=body, headers=headers)
    assert response.status_code == status
    assert (reads.rows, reads.folds, reads.whole_logs) == (1, 1, 1)


async def test_a_run_that_only_sql_has_is_folded_once(
    app: Litestar, ann: httpx2.AsyncClient, take: Take, ship: Ship, redis: Redis
) -> None:
    run_id = await run_with_a_failed_step(ann, take)
    await ship()
    await redis.delete(log_key(run_id))
    with counting(app) as reads:
        response = await ann.post(f"/api/runs/{run_id}/retries", json={"step": STEP})
    assert (response.status_code, response.json()["status"]) == (202, "queued")
    assert (reads.rows, reads.folds) == (1, 1)
