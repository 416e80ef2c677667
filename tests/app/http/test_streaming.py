"""The stream of the whole application: opened like any other answer, and streamed past its layers."""

from __future__ import annotations

import httpx2

from app.accounts.sessions import COOKIE, new_session
from app.http.headers import POLICY
from tests.app.conftest import Take, start_echo


async def test_a_stream_has_the_headers_of_every_answer(ann: httpx2.AsyncClient) -> None:
    run_id = await start_echo(ann)
    async with ann.stream("GET", f"/runs/{run_id}/live?view=run") as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["content-security-policy"] == POLICY
        assert stream.headers["x-content-type-options"] == "nosniff"
        assert stream.headers.get_list("cache-control") == ["no-cache, no-store"]
        assert "set-cookie" not in stream.headers
        async for line in stream.aiter_lines():
            if line.startswith("data: "):
                break
        assert f'data-run="{run_id}"' in line


async def test_a_stream_is_for_its_own_workspace(
    ann: httpx2.AsyncClient, bob: httpx2.AsyncClient, anonymous: httpx2.AsyncClient
) -> None:
    run_id = await start_echo(ann)
    for other in (bob, anonymous):
        answer = await other.get(f"/runs/{run_id}/live?view=run")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["content-security-policy"] == POLICY


async def test_a_connection_is_of_use_after_its_stream(address: str, take: Take) -> None:
    limits = httpx2.Limits(max_connections=1)
    async with httpx2.AsyncClient(base_url=address, limits=limits, timeout=30, trust_env=False) as client:
        client.cookies.set(COOKIE, new_session())
        run_id = await start_echo(client)
        player = await take(run_id)
        await player.start()
        await player.end("done")
        for _ in range(2):
            stream = await client.get(f"/runs/{run_id}/live?view=run")
            assert stream.text.endswith("event: end\ndata:\n\n")
        assert (await client.get(f"/runs/{run_id}/status")).json()["status"] == "succeeded"


async def test_the_stream_of_a_page_is_no_part_of_the_api(ann: httpx2.AsyncClient) -> None:
    paths = (await ann.get("/api/schema/openapi.json")).json()["paths"]
    assert not [path for path in paths if path.endswith("/live")]
