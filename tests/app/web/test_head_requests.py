"""HEAD requests: the headers of GET without its body, and no stream is opened."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from tests.app.conftest import start_echo
from tests.app.web.clients import Client, add_post, add_site, run_of
from tests.app.web.conftest import Play
from tests.app.web.logs import finish_post

_CHANGING = {"date", "set-cookie"}


def told(answer: httpx2.Response) -> dict[str, str]:
    """Return all headers that do not change from one response to the next."""
    return {name: value for name, value in answer.headers.items() if name not in _CHANGING}


async def test_every_address_has_the_headers_of_get(ann: Client, play: Play) -> None:
    site = await add_site(ann)
    post = await add_post(ann, site)
    run = run_of(await ann.get(post))
    await play(run, finish_post())
    pages = ["/", site, post, f"{post}.md", f"{post}.html", f"/runs/{run}", f"/runs/{run}/trace", "/runs", "/tokens"]
    api = [f"/api/runs/{run}", f"/api/runs/{run}/events", f"/api/runs/{run}/trace", "/api/workflows", "/api/schema"]
    others = ["/healthz", "/static/app.css", "/nothing", "/api/nothing", "/posts/none.md", "/api/runs?limit=0"]
    for address in [*pages, *api, *others]:
        got, head, again = await ann.get(address), await ann.head(address), await ann.get(address)
        assert head.content == b""
        # A page may tell how long something has taken, and be longer a moment later.
        assert (head.status_code, told(head)) in [(answer.status_code, told(answer)) for answer in (got, again)], (
            address
        )


async def test_the_first_request_sets_the_cookie_as_get_does(anonymous: Client) -> None:
    assert (await anonymous.head("/api/runs")).status_code == 401
    answer = await anonymous.head("/")
    assert (answer.status_code, "set-cookie" in answer.headers) == (200, True)


async def test_a_known_etag_is_answered_with_304(ann: Client, play: Play) -> None:
    post = await add_post(ann, await add_site(ann))
    await play(run_of(await ann.get(post)), finish_post())
    tag = (await ann.head(post)).headers["etag"]
    assert (await ann.head(post, headers={"if-none-match": tag})).status_code == 304


@pytest.mark.parametrize(
    ("path", "accept"),
    [
        ("/runs/{}/live?view=run", "*/*"),
        ("/runs/live", "*/*"),
        ("/api/runs/{}/events", "text/event-stream"),
        ("/api/runs/{}/events", "application/x-ndjson"),
        ("/api/runs/{}/output", "*/*"),
    ],
)
async def test_a_stream_has_headers_and_is_not_opened(ann: Client, path: str, accept: str) -> None:
    address = path.format(await start_echo(ann))
    async with asyncio.timeout(10):
        head = await ann.head(address, headers={"accept": accept})
    async with ann.stream("GET", address, headers={"accept": accept}) as stream:
        assert told(head).items() >= {k: v for k, v in told(stream).items() if k != "transfer-encoding"}.items()
    assert (head.status_code, head.content) == (200, b"")


async def test_no_viewer_is_left_afterwards(ann: Client) -> None:
    run = await start_echo(ann)
    for address in (f"/runs/{run}/live?view=run", f"/api/runs/{run}/output", "/runs/live"):
        await ann.head(address)
        metrics = (await ann.get("/metrics")).text
        assert "longhand_viewers 0.0" in metrics
        assert "longhand_watchers 0.0" in metrics


async def test_an_address_without_get_refuses_head(ann: Client) -> None:
    run = await start_echo(ann)
    assert (await ann.head(f"/api/runs/{run}/cancellation")).status_code == 405
    assert (await ann.get(f"/api/runs/{run}")).json()["status"] == "queued"
    for method in ("DELETE", "OPTIONS"):
        allowed = (await ann.request(method, f"/api/runs/{run}")).headers["allow"]
        assert {"GET", "HEAD"} <= set(allowed.split(", "))
