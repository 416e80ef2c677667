"""An address that was typed without a scheme is opened by https, else by http, else not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.sites.port_map import PUBLIC_ADDRESS, PortMap
from tests.sites.server import CannedResponse, FixtureSite
from worker.crawl.errors import AddressRefused, ConnectionFailed, ErrorPage, FetchTimeout, HostUnreachable, TlsFailed
from worker.crawl.fetch import Fetcher
from worker.crawl.politeness import HostThrottle
from worker.crawl.site import SiteReader

HERE = Path(__file__).parent
TYPED = "shop.test/"


@pytest.fixture
async def plain() -> AsyncIterator[FixtureSite]:
    """The site, by plain http."""
    async with FixtureSite() as site:
        yield site


@asynccontextmanager
async def reading(ports: PortMap, inside: int = 0, https_seconds: float = 10) -> AsyncIterator[SiteReader]:
    """A reader that connects to these ports; at the port `inside` each name leads inside a private network."""

    async def resolve(host: str, port: int) -> list[str]:
        return ["10.0.0.1" if port == inside else PUBLIC_ADDRESS]

    trusting = ssl.create_default_context(cafile=str(HERE / "tls" / "shop.crt"))
    fetcher = Fetcher(throttle=HostThrottle(gap=0), resolve=resolve, tls=trusting, backend=ports)
    async with SiteReader(fetcher=fetcher, https_seconds=https_seconds) as reader:
        yield reader


@asynccontextmanager
async def listening(answer: bytes, tls: bool = False, after: bytes = b"") -> AsyncIterator[int]:
    """A port that sends `answer` once `after` has come. With an empty `answer` it accepts connections and is silent."""
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


async def test_http_is_opened_and_noted_where_nobody_answers_by_https(plain: FixtureSite) -> None:
    ports = PortMap(http=plain.port)
    async with reading(ports) as reader:
        home = await reader.read_home(TYPED)
        assert (home.page.url, home.plain) == ("http://shop.test/", "http://shop.test/")
        assert home.notes[0] == "Opened by plain http, because https was not to be had: nobody answers there."
        assert "http://shop.test/about.html" in home.candidates
    assert ports.dialled[0] == 443


@pytest.mark.parametrize("typed", ["shop.test/", "stranger.test/"])
async def test_http_is_opened_where_https_fails_its_handshake(plain: FixtureSite, typed: str) -> None:
    # Another protocol for the one, a certificate of somebody else for the other.
    other = listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") if typed == TYPED else secure(http(200))
    async with other as port, reading(PortMap(https=port, http=plain.port)) as reader:
        home = await reader.read_home(typed)
    assert home.plain == f"http://{typed}"
    assert "no secure connection could be made" in home.notes[0]


async def test_http_is_opened_where_https_keeps_silent(plain: FixtureSite) -> None:
    async with listening(b"") as port, reading(PortMap(https=port, http=plain.port), https_seconds=0.2) as reader:
        home = await reader.read_home(TYPED)
    assert home.plain == "http://shop.test/"
    assert "too long" in home.notes[0]


async def test_nothing_is_requested_by_http_where_https_answers(plain: FixtureSite) -> None:
    body = "<title>Shop</title><p>Bicycles for everybody, mended while you wait, since a long time ago.</p>"
    async with secure(http(200, body)) as port, reading(ports := PortMap(https=port, http=plain.port)) as reader:
        home = await reader.read_home(TYPED)
    assert (home.page.url, home.plain, home.notes) == ("https://shop.test/", "", [])
    assert set(ports.dialled) == {443}


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_an_error_by_https_is_an_answer(plain: FixtureSite, status: int) -> None:
    async with secure(http(status)) as port, reading(ports := PortMap(https=port, http=plain.port)) as reader:
        with pytest.raises(ErrorPage, match=str(status)):
            await reader.read_home(TYPED)
    assert set(ports.dialled) == {443}


async def test_what_fails_behind_a_redirect_is_not_tried_another_way(plain: FixtureSite) -> None:
    moved = http(301, location="https://shop.test:8443/")
    async with secure(moved) as port, reading(ports := PortMap(https=port, http=plain.port)) as reader:
        with pytest.raises(HostUnreachable):
            await reader.read_home(TYPED)
    assert 80 not in ports.dialled


async def test_a_connection_that_breaks_later_is_not_tried_another_way(plain: FixtureSite) -> None:
    broken = b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\ncontent-type: text/html\r\n\r\n<p>"
    async with secure(broken) as port, reading(ports := PortMap(https=port, http=plain.port)) as reader:
        with pytest.raises(ConnectionFailed):
            await reader.read_home(TYPED)
    assert 80 not in ports.dialled


async def test_a_typed_scheme_is_kept(plain: FixtureSite) -> None:
    async with listening(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        for https, error in ((0, HostUnreachable), (port, TlsFailed)):
            async with reading(ports := PortMap(https=https, http=plain.port)) as reader:
                with pytest.raises(error):
                    await reader.read_home(f"https://{TYPED}")
            assert set(ports.dialled) == {443}
    async with reading(ports := PortMap(http=plain.port)) as reader:
        assert (await reader.read_home(f"http://{TYPED}")).plain == ""
    assert set(ports.dialled) == {80}


async def test_the_error_is_that_of_https_where_neither_answers(plain: FixtureSite) -> None:
    async with reading(PortMap()) as reader:
        with pytest.raises(HostUnreachable, match=r"shop\.test:443"):
            await reader.read_home(TYPED)
    async with listening(b"") as port, reading(PortMap(https=port), https_seconds=0.2) as reader:
        with pytest.raises(FetchTimeout, match=r"https://shop\.test"):
            await reader.read_home(TYPED)


async def test_a_site_that_sends_http_to_an_https_that_is_not_there_is_not_read(plain: FixtureSite) -> None:
    plain.answer("/", CannedResponse(301, headers={"location": "https://shop.test/"}))
    async with reading(PortMap(http=plain.port)) as reader:
        with pytest.raises(HostUnreachable):
            await reader.read_home(TYPED)


async def test_http_is_guarded_as_https_is(plain: FixtureSite) -> None:
    for inside in (80, 443):
        async with reading(PortMap(http=plain.port), inside) as reader:
            with pytest.raises(AddressRefused):
                await reader.read_home(TYPED)
    assert plain.connections == 0
