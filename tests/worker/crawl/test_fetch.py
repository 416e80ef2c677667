"""A fetch is bounded in time, size and redirects, and an error is never a page."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tests.sites.server import BROKEN_PATH, CannedResponse, FixtureSite
from worker.crawl.errors import (
    ConnectionFailed,
    ErrorPage,
    FetchTimeout,
    NotHtml,
    TooLarge,
    TooManyRedirects,
)
from worker.crawl.fetch import Fetcher
from worker.crawl.politeness import HostThrottle
from worker.crawl.response import HTML_PAGE, FetchLimits


@pytest.fixture
async def site() -> AsyncIterator[FixtureSite]:
    async with FixtureSite() as site:
        yield site


@pytest.fixture
async def fetcher(site: FixtureSite) -> AsyncIterator[Fetcher]:
    async with Fetcher(allow={site.host_port}, throttle=HostThrottle(gap=0)) as fetcher:
        yield fetcher


async def test_a_page_comes_with_its_final_address_and_charset(site: FixtureSite, fetcher: Fetcher) -> None:
    site.answer("/old", CannedResponse(301, headers={"location": "/about.html#team"}))
    site.answer("/about.html", CannedResponse(body=b"<p>hi", content_type='text/html; charset="ISO-8859-2"'))
    fetched = await fetcher.get(f"{site.url}/old")
    assert fetched.url == f"{site.url}/about.html"
    assert (fetched.status, fetched.content_type, fetched.charset) == (200, "text/html", "iso-8859-2")


@pytest.mark.parametrize("status", [204, 304, 400, 401, 403, 404, 410, 418, 500, 502, 503])
async def test_every_answer_but_a_good_one_is_an_error(site: FixtureSite, fetcher: Fetcher, status: int) -> None:
    body = b"" if status in (204, 304) else b"<h1>Sorry</h1>"
    site.answer("/x", CannedResponse(status, body))
    if status == 204:
        assert (await fetcher.get(f"{site.url}/x")).body == b""
        return
    with pytest.raises(ErrorPage, match=str(status)) as error:
        await fetcher.get(f"{site.url}/x")
    assert error.value.status == status
    assert error.value.transient is (status >= 500)


async def test_a_busy_server_says_when_to_come_back(site: FixtureSite, fetcher: Fetcher) -> None:
    for status in (429, 503):
        site.fail("/about.html", status, times=1, retry_after="7")
        with pytest.raises(ErrorPage) as busy:
            await fetcher.get(f"{site.url}/about.html")
        assert busy.value.transient
        assert busy.value.retry_after == 7
    assert (await fetcher.get(f"{site.url}/about.html")).status == 200


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        (format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True), 3000, 3600),
        (format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True), 0, 0),
        ("soon", None, None),
        ("-5", None, None),
    ],
    ids=["in an hour", "an hour ago", "words", "negative"],
)
async def test_dates_and_nonsense_in_retry_after(
    site: FixtureSite, fetcher: Fetcher, header: str, least: float | None, most: float | None
) -> None:
    site.fail("/x", 503, retry_after=header)
    with pytest.raises(ErrorPage) as busy:
        await fetcher.get(f"{site.url}/x")
    if least is None or most is None:
        assert busy.value.retry_after is None
    else:
        assert busy.value.retry_after is not None
        assert least <= busy.value.retry_after <= most


@pytest.mark.parametrize("content_type", ["application/pdf", "image/png", "application/json", "text/plain"])
async def test_what_is_not_html_is_refused(site: FixtureSite, fetcher: Fetcher, content_type: str) -> None:
    site.answer("/x", CannedResponse(body=b"<html>", content_type=content_type))
    with pytest.raises(NotHtml, match=content_type):
        await fetcher.get(f"{site.url}/x")


async def test_without_a_content_type_the_body_decides(site: FixtureSite, fetcher: Fetcher) -> None:
    site.answer("/page", CannedResponse(body=b"  <!doctype html><p>hello", content_type=""))
    site.answer("/other", CannedResponse(body=b"%PDF-1.4", content_type=""))
    assert b"hello" in (await fetcher.get(f"{site.url}/page")).body
    with pytest.raises(NotHtml):
        await fetcher.get(f"{site.url}/other")


async def test_redirects_in_circles_end(site: FixtureSite, fetcher: Fetcher) -> None:
    site.answer("/a", CannedResponse(302, headers={"location": "/b"}))
    site.answer("/b", CannedResponse(302, headers={"location": "/a"}))
    with pytest.raises(TooManyRedirects):
        await fetcher.get(f"{site.url}/a")
    assert site.requests["/a"] + site.requests["/b"] == 6


async def test_five_redirects_are_followed(site: FixtureSite, fetcher: Fetcher) -> None:
    for hop in range(5):
        site.answer(f"/{hop}", CannedResponse(302, headers={"location": f"/{hop + 1}"}))
    site.answer("/5", CannedResponse(body=b"<p>there"))
    assert (await fetcher.get(f"{site.url}/0")).body == b"<p>there"


@pytest.mark.parametrize("packing", ["gzip", "deflate", "gzip, gzip"])
async def test_a_bomb_is_given_up(site: FixtureSite, fetcher: Fetcher, packing: str) -> None:
    bomb = b"\0" * 60_000_000
    for method in packing.split(", "):
        bomb = gzip.compress(bomb) if method == "gzip" else zlib.compress(bomb)
    site.answer("/bomb", CannedResponse(body=bomb, headers={"content-encoding": packing}))
    with pytest.raises(TooLarge):
        await fetcher.get(f"{site.url}/bomb")


async def test_packed_pages_are_unpacked(site: FixtureSite, fetcher: Fetcher) -> None:
    site.answer("/x", CannedResponse(body=gzip.compress(b"<p>packed"), headers={"content-encoding": "gzip"}))
    assert (await fetcher.get(f"{site.url}/x")).body == b"<p>packed"


async def test_what_does_not_unpack_is_a_failed_answer(site: FixtureSite, fetcher: Fetcher) -> None:
    site.answer("/x", CannedResponse(body=b"not gzip at all", headers={"content-encoding": "gzip"}))
    with pytest.raises(ConnectionFailed, match="unpack"):
        await fetcher.get(f"{site.url}/x")


async def test_a_body_that_says_it_is_huge_is_not_read(site: FixtureSite, fetcher: Fetcher) -> None:
    async def promise(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9000000000\r\n\r\n")
        await reader.read()

    site.handle("/huge", promise)
    with pytest.raises(TooLarge, match="5 MB"):
        await fetcher.get(f"{site.url}/huge")


async def test_a_body_without_an_end_is_given_up(site: FixtureSite, fetcher: Fetcher) -> None:
    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while True:
            writer.write(b"x" * 65536)
            await writer.drain()

    site.handle("/endless", pour)
    with pytest.raises(TooLarge):
        await fetcher.get(f"{site.url}/endless")
    cut = await fetcher.get(f"{site.url}/endless", FetchLimits(max_bytes=1000, truncate=True))
    assert cut.body == b"x" * 1000


@pytest.mark.parametrize("drips", [True, False])
async def test_a_slow_answer_is_given_up(site: FixtureSite, drips: bool) -> None:
    async def dawdle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n")
        while drips:
            writer.write(b"x")
            await asyncio.sleep(0.01)
        await reader.read()

    site.handle("/slow", dawdle)
    async with Fetcher(allow={site.host_port}, timeout=0.2) as fetcher:
        with pytest.raises(FetchTimeout) as slow:
            await fetcher.get(f"{site.url}/slow")
    assert slow.value.transient


async def test_redirects_share_one_time_limit(site: FixtureSite) -> None:
    site.hold("/b")
    site.answer("/a", CannedResponse(302, headers={"location": "/b"}))
    async with Fetcher(allow={site.host_port}, timeout=0.2) as fetcher:
        with pytest.raises(FetchTimeout):
            await fetcher.get(f"{site.url}/a")


async def test_a_broken_answer_is_a_failed_connection(site: FixtureSite, fetcher: Fetcher) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 100\r\n\r\nonly this")

    async def babble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")

    for path, handler in (("/cut", hang_up), ("/ssh", babble)):
        site.handle(path, handler)
        with pytest.raises(ConnectionFailed):
            await fetcher.get(f"{site.url}{path}")


async def test_nobody_listening_is_a_failed_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: nobody else gets it meanwhile
        host_port = f"127.0.0.1:{unused.getsockname()[1]}"
        async with Fetcher(allow={host_port}) as fetcher:
            with pytest.raises(ConnectionFailed, match="nobody answers"):
                await fetcher.get(f"http://{host_port}/")


async def test_cookies_are_not_kept(site: FixtureSite, fetcher: Fetcher) -> None:
    site.answer("/one", CannedResponse(302, headers={"set-cookie": "who=you; path=/", "location": "/two"}))
    site.answer("/two", CannedResponse(body=b"<p>hi", headers={"set-cookie": "and=again; path=/"}))
    await fetcher.get(f"{site.url}/one")
    await fetcher.get(f"{site.url}/two")
    assert "cookie" not in site.heads["/two"].lower()
    assert "user-agent: longhand/" in site.heads["/two"].lower()


async def test_one_host_gets_one_request_at_a_time(site: FixtureSite, fetcher: Fetcher) -> None:
    active: list[int] = []
    most = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal most
        active.append(1)
        most = max(most, len(active))
        await asyncio.sleep(0)
        active.pop()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")

    site.handle("/x", count)
    await asyncio.gather(*(fetcher.get(f"{site.url}/x") for _ in range(8)))
    assert most == 1


async def test_a_slow_host_does_not_keep_another_waiting(site: FixtureSite) -> None:
    async with FixtureSite() as quick, Fetcher(allow={site.host_port, quick.host_port}) as fetcher:
        release = site.hold("/about.html")
        waiting = asyncio.create_task(fetcher.get(f"{site.url}/about.html"))
        assert (await fetcher.get(f"{quick.url}/about.html")).status == 200
        release.set()
        assert (await waiting).status == 200


async def test_the_fixture_has_its_error_page(site: FixtureSite, fetcher: Fetcher) -> None:
    with pytest.raises(ErrorPage):
        await fetcher.get(f"{site.url}{BROKEN_PATH}", HTML_PAGE)
