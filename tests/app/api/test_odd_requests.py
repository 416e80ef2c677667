"""Odd parameters, addresses and headers: each is answered with a problem that says why, or as if it were not there."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from app.api.negotiation import LONGEST_WAIT, choose_media_type, read_wait
from tests.app.conftest import Take, start_echo

HUGE = "9" * 400
LARGEST_CURSOR = f"{2**63 - 1}-{2**63 - 1}"

READS: list[tuple[str, dict[str, str], int]] = [
    *[("/api/runs", {"after": after}, 400) for after in ("garbage", "-", "1-", "-1-x", f"{HUGE}-x", "1-a/b", "1\0-a")],
    *[("/api/runs", {"limit": limit}, 400) for limit in ("0", "-1", "201", HUGE, "1e3", "1.5", "x", "", "NaN")],
    *[
        ("/api/runs/{run}/events", {"after": after}, 400)
        for after in ("garbage", "1", "-1-0", f"{HUGE}-0", "1-0\0", "é")
    ],
    *[("/api/runs/{run}/events", {"after": after}, 409) for after in ("1-0", "0-1", "007-0", LARGEST_CURSOR)],
    *[("/api/runs/{run}/events", {"limit": limit}, 400) for limit in ("0", "-1", "10001", HUGE, "x")],
    *[
        (f"/api/runs/{run_id}{below}", {}, 404)
        for run_id in ("{other}", "run_none", "run_%00", "%ff", "%F0%9F%98%80", "..%2f", "x" * 3000)
        for below in ("", "/events", "/trace", "/output")
    ],
]
"""An address, a query, and the status of the answer."""

COMMANDS: list[tuple[str, Any]] = [
    ("cancellation", None),
    ("retries", {}),
    ("retries", {"step": "echo"}),
    ("answers/outline", {"ask": "a", "value": 1}),
]


def check_problem(answer: httpx2.Response, status: int) -> None:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json()["status"] == status and answer.json()["detail"]


async def test_odd_reads_are_answered_with_a_reason(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    run_id, other = await start_echo(ann), await start_echo(bob)
    for address, query, status in READS:
        address = address.replace("{run}", run_id).replace("{other}", other)
        answer = await ann.get(address, params=query)
        assert answer.status_code == status, (address, query, answer.text)
        check_problem(answer, status)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_an_odd_cursor_begins_no_stream(ann: httpx2.AsyncClient, accept: str) -> None:
    run_id = await start_echo(ann)
    for status, cursors in [(400, ["garbage", f"{HUGE}-0", "\xff"]), (409, ["1-0", LARGEST_CURSOR])]:
        for cursor in cursors:
            headers = [(b"accept", accept.encode()), (b"last-event-id", cursor.encode("latin-1"))]
            check_problem(await ann.get(f"/api/runs/{run_id}/events", headers=headers), status)


async def test_commands_on_what_is_not_theirs_are_404(ann: httpx2.AsyncClient, bob: httpx2.AsyncClient) -> None:
    await start_echo(ann)
    for run_id in (await start_echo(bob), "run_none", "run_%00", "%ff"):
        for command, body in COMMANDS:
            check_problem(await ann.post(f"/api/runs/{run_id}/{command}", json=body), 404)


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        ("", 200),
        ("*/*", 200),
        ("application/*;q=0.1", 200),
        ("application/json;q=inf", 200),
        (",,;q=1,application/json", 200),
        ("application/json;charset=utf-8;q=0.5", 200),
        ("application/json;q=nan", 406),
        ("application/json;q=", 406),
        ("*/*;q=0", 406),
        ("image/png", 406),
        ("garbage", 406),
        ("/", 406),
        ("\xff", 406),
        (";" * 3000, 406),
    ],
)
async def test_odd_wishes_for_a_form_of_the_log(ann: httpx2.AsyncClient, accept: str, status: int) -> None:
    run_id = await start_echo(ann)
    answer = await ann.get(f"/api/runs/{run_id}/events", headers=[(b"accept", accept.encode("latin-1"))])
    assert answer.status_code == status, answer.text
    if status != 200:
        check_problem(answer, status)


async def test_a_wish_over_several_lines_is_one(ann: httpx2.AsyncClient, take: Take) -> None:
    run_id = await start_echo(ann)
    worker = await take(run_id)
    await worker.start()
    await worker.end()
    lines = [("accept", "image/png"), ("accept", "application/x-ndjson")]
    answer = await ann.get(f"/api/runs/{run_id}/events", headers=lines)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")


def test_a_quality_that_is_no_number_is_none() -> None:
    assert choose_media_type("a/b;q=nan, a/c;q=0.1", ["a/b", "a/c"]) == "a/c"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        ([], None),
        ([""], None),
        (["wait"], None),
        (["wait="], None),
        (["wait=-1"], None),
        (["wait=x"], None),
        (["wait=1.5"], None),
        (["wait=1e3"], None),
        (["wait=²"], None),
        (["wait=NaN"], None),
        (["waiting=5"], None),
        (["wait=0"], 0),
        (["wait=5"], 5),
        (["WAIT = 5 "], 5),
        (['wait="5"'], 5),
        (["wait=5;strict"], 5),
        (["respond-async, wait=5"], 5),
        (["respond-async", "handling=lenient, wait=5"], 5),
        (["wait=5, wait=600"], 5),
        (["wait=x, wait=5"], None),
        (['note="a, wait=9", wait=5'], 5),
        (["wait=599"], 599),
        (["wait=601"], 600),
        ([f"wait={HUGE}"], 600),
        (["wait=" + "9" * 5000], 600),
    ],
)
def test_the_first_wait_that_is_preferred_counts_up_to_a_limit(prefer: list[str], seconds: int | None) -> None:
    assert read_wait(prefer) == seconds
    assert LONGEST_WAIT == 600


@pytest.mark.parametrize("prefer", ["wait=-1", "wait=x", "wait=0", "wait", 'wait="', "=", ";", "\xff"])
async def test_an_odd_preference_starts_the_run_all_the_same(ann: httpx2.AsyncClient, prefer: str) -> None:
    headers = [(b"prefer", prefer.encode("latin-1"))]
    answer = await ann.post("/api/workflows/echo/runs", json={"text": "a"}, headers=headers)
    assert answer.status_code == 202, answer.text
    assert answer.headers.get("preference-applied") == ("wait=0" if prefer == "wait=0" else None)
