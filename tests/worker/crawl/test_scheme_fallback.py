"""The first page of an address that was typed without a scheme: by https, else by http, else not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.sites.server import Answer, FixtureSite
from tests.sites.town import PUBLIC, Town
from worker.crawl.errors import AddressRefused, ConnectionFailed, ErrorPage, FetchTimeout, NobodyAnswers, TlsFailed
from worker.crawl.fetch import Fetcher
from worker.crawl.politeness import HostThrottle
from worker.crawl.site import SiteReader

HERE = Path(__file__).parent
TYPED = "shop.test/"


@pytest.fixture
async def plain() -> AsyncIterator[FixtureSite]:
    """The site, which speaks plain http."""
    async with FixtureSite() as site:
        yield site


@asynccontextmanager
async def reading(town: Town, inside: int = 0, patience: float = 10) -> AsyncIterator[SiteReader]:
    """Somebody who reads in that town; `inside` is a port at which the name leads inside a private network."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1" if port == inside else PUBLIC]

    trusting = ssl.create_default_context(cafile=str(HERE / "tls" / "shop.crt"))
    fetcher = Fetcher(pace=HostThrottle(gap=0), resolve=resolve, tls=trusting, dial=town)
    async with SiteReader(fetcher=fetcher, patience=patience) as reader:
        yield reader


@asynccontextmanager
async def listening(answer: bytes, tls: bool = False, after: bytes = b"") -> AsyncIterator[int]:
    """A port that gives one answer, `after` so much has come; without one it takes connections and says nothing."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(HERE / "tls" / "shop.crt", HERE / "tls" / "shop.key")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if after:
            await reader.readuntil(after)
        writer.write(answer)
        if not answer:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context if tls else None)
    async with server:
        yield server.sockets[0].getsockname()[1]


def secure(answer: bytes) -> AbstractAsyncContextManager[int]:
    return listening(answer, tls=True, after=b"\r\n\r\n")


def http(status: int, body: str = "", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}", "content-type: text/html", "connection: close"]
    return "\r\n".join([*lines, *(f"{name}: {value}" for name, value in headers.items()), "", body]).encode()


async def test_where_nobody_answers_by_https_it_is_http_and_says_so(plain: FixtureSite) -> None:
    town = Town(http=plain.port)
    async with reading(town) as reader:
        landing = await reader.home(TYPED)
        assert (landing.page.url, landing.plain) == ("http://shop.test/", "http://shop.test/")
        assert landing.notes[0] == "Opened by plain http, because https was not to be had: nobody answers there."
        assert "http://shop.test/about.html" in landing.candidates
    assert town.dialled[0] == 443


@pytest.mark.parametrize("typed", ["shop.test/", "stranger.test/"])
async def test_where_https_is_not_in_order_it_is_http(plain: FixtureSite, typed: str) -> None:
    # Another protocol for the one, a certificate of somebody else for the other.
    other = listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") if typed == TYPED else secure(http(200))
    async with other as port, reading(Town(https=port, http=plain.port)) as reader:
        landing = await reader.home(typed)
    assert landing.plain == f"http://{typed}"
    assert "no secure connection could be made" in landing.notes[0]


async def test_where_https_keeps_silent_it_is_http(plain: FixtureSite) -> None:
    async with listening(b"") as port, reading(Town(https=port, http=plain.port), patience=0.2) as reader:
        landing = await reader.home(TYPED)
    assert landing.plain == "http://shop.test/"
    assert "too long" in landing.notes[0]


async def test_where_https_answers_nothing_is_asked_by_http(plain: FixtureSite) -> None:
    body = "<title>Shop</title><p>Bicycles for everybody, mended while you wait, since a long time ago.</p>"
    async with secure(http(200, body)) as port, reading(town := Town(https=port, http=plain.port)) as reader:
        landing = await reader.home(TYPED)
    assert (landing.page.url, landing.plain, landing.notes) == ("https://shop.test/", "", [])
    assert set(town.dialled) == {443}


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_error_by_https_is_an_answer(plain: FixtureSite, status: int) -> None:
    async with secure(http(status)) as port, reading(town := Town(https=port, http=plain.port)) as reader:
        with pytest.raises(ErrorPage, match=str(status)):
            await reader.home(TYPED)
    assert set(town.dialled) == {443}


async def test_what_fails_behind_a_redirect_is_not_tried_another_way(plain: FixtureSite) -> None:
    moved = http(301, location="https://shop.test:8443/")
    async with secure(moved) as port, reading(town := Town(https=port, http=plain.port)) as reader:
        with pytest.raises(NobodyAnswers):
            await reader.home(TYPED)
    assert 80 not in town.dialled


async def test_a_connection_that_breaks_later_is_not_tried_another_way(plain: FixtureSite) -> None:
    broken = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\ncontent-type: text/html\r\n\r\n<p>"
    async with secure(broken) as port, reading(town := Town(https=port, http=plain.port)) as reader:
        with pytest.raises(ConnectionFailed):
            await reader.home(TYPED)
    assert 80 not in town.dialled


async def test_a_typed_scheme_is_kept(plain: FixtureSite) -> None:
    async with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        for https, error in ((0, NobodyAnswers), (port, TlsFailed)):
            async with reading(town := Town(https=https, http=plain.port)) as reader:
                with pytest.raises(error):
                    await reader.home(f"https://{TYPED}")
            assert set(town.dialled) == {443}
    async with reading(town := Town(http=plain.port)) as reader:
        assert (await reader.home(f"http://{TYPED}")).plain == ""
    assert set(town.dialled) == {80}


async def test_where_neither_answers_it_is_told_of_https(plain: FixtureSite) -> None:
    async with reading(Town()) as reader:
        with pytest.raises(NobodyAnswers, match=r"shop\.test:443"):
            await reader.home(TYPED)
    async with listening(b"") as port, reading(Town(https=port), patience=0.2) as reader:
        with pytest.raises(FetchTimeout, match=r"https://shop\.test"):
            await reader.home(TYPED)


async def test_a_site_that_sends_http_to_an_https_that_is_not_there_is_not_read(plain: FixtureSite) -> None:
    plain.answer("/", Answer(301, headers={"location": "https://shop.test/"}))
    async with reading(Town(http=plain.port)) as reader:
        with pytest.raises(NobodyAnswers):
            await reader.home(TYPED)


async def test_http_is_guarded_as_https_is(plain: FixtureSite) -> None:
    for inside in (80, 443):
        async with reading(Town(http=plain.port), inside) as reader:
            with pytest.raises(AddressRefused):
                await reader.home(TYPED)
    assert plain.connections == 0
