"""No connection reaches a private address, by any spelling, name, or redirect."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from app.content import urls
from tests.sites.server import CannedResponse, DirectorySite, FixtureSite
from worker.crawl.errors import AddressRefused, HostUnresolvable, TlsFailed
from worker.crawl.fetch import Fetcher
from worker.crawl.guard import GuardedBackend

HERE = Path(__file__).parent
HOSTILE_HOSTS = [
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "127.0.0.1.",
    "127.0.0.2",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "１２７.０.０.１",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "①②⑦.0.0.1",
]


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
async def test_a_hostile_address_is_refused_without_a_connection(host: str) -> None:
    async with FixtureSite() as site, Fetcher() as fetcher:
        port = site.host_port.partition(":")[2]
        with pytest.raises(AddressRefused) as refused:
            await fetcher.get(f"http://{host}:{port}/")
        assert refused.value.code == "private"
        assert isinstance(refused.value, urls.AddressInvalid)
        assert site.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1", "2130706433", "0x7f.1", "localhost", "0", "::1", "fe80::1%lo"])
async def test_the_guard_refuses_by_itself_what_the_rules_for_text_would(host: str) -> None:
    async with FixtureSite() as site:
        with pytest.raises((AddressRefused, HostUnresolvable)):
            await GuardedBackend().connect_tcp(host, int(site.host_port.partition(":")[2]))
        assert site.connections == 0


@pytest.mark.parametrize(
    "answers",
    [["127.0.0.1"], ["::1"], ["10.0.0.7"], ["169.254.169.254"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"]],
)
async def test_a_name_that_leads_inside_is_refused(answers: list[str]) -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return answers

    async with Fetcher(resolve=resolve) as fetcher:
        with pytest.raises(AddressRefused, match="private network"):
            await fetcher.get("http://rebound.example.com:8080/")


async def test_a_name_is_resolved_once_and_the_checked_address_is_dialled() -> None:
    async with FixtureSite() as site:
        port = site.host_port.partition(":")[2]
        asked: list[str] = []

        async def resolve(host: str, port: int) -> list[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["192.0.2.1"]

        async with Fetcher(allow={f"shop.test:{port}"}, resolve=resolve) as fetcher:
            assert (await fetcher.get(f"http://shop.test:{port}/")).status == 200
        assert asked == ["shop.test"]
        assert site.connections == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_inside_is_refused_without_a_connection(status: int) -> None:
    async with FixtureSite() as inside, FixtureSite() as site:
        site.answer("/out", CannedResponse(status, headers={"location": f"{inside.url}/"}))
        async with Fetcher(allow={site.host_port}) as fetcher:
            with pytest.raises(AddressRefused):
                await fetcher.get(f"{site.url}/out")
        assert inside.connections == 0


async def test_a_redirect_to_a_name_that_leads_inside_is_refused() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with FixtureSite() as site:
        site.answer("/out", CannedResponse(302, headers={"location": "http://metadata.example.com/"}))
        async with Fetcher(allow={site.host_port}, resolve=resolve) as fetcher:
            with pytest.raises(AddressRefused):
                await fetcher.get(f"{site.url}/out")


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://example.com/", "http://u:p@example.com/", "http://["]
)
async def test_a_redirect_to_what_is_no_web_address_is_refused(location: str) -> None:
    async with FixtureSite() as site, Fetcher(allow={site.host_port}) as fetcher:
        site.answer("/out", CannedResponse(302, headers={"location": location}))
        with pytest.raises(AddressRefused):
            await fetcher.get(f"{site.url}/out")


async def test_a_proxy_from_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    async with DirectorySite(HERE) as proxy, FixtureSite() as site:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with Fetcher(allow={site.host_port}) as fetcher:
            assert (await fetcher.get(f"{site.url}/")).status == 200
        assert proxy.connections == 0


async def test_a_name_without_an_address_is_told_from_a_refused_one() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError("not known")

    async with Fetcher(resolve=resolve) as fetcher:
        with pytest.raises(HostUnresolvable, match=r"nobody\.example"):
            await fetcher.get("http://nobody.example.com/")


@pytest.mark.parametrize("name", ["shop.test", "other.test"])
async def test_tls_verifies_the_name_although_a_number_is_dialled(name: str) -> None:
    server_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_tls.load_cert_chain(HERE / "tls" / "shop.crt", HERE / "tls" / "shop.key")
    trusting = ssl.create_default_context(cafile=str(HERE / "tls" / "shop.crt"))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nok")
        writer.close()

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=server_tls)
    port = server.sockets[0].getsockname()[1]
    async with server, Fetcher(allow={f"{name}:{port}"}, resolve=resolve, tls=trusting) as fetcher:
        if name == "shop.test":
            assert (await fetcher.get(f"https://{name}:{port}/")).body == b"ok"
        else:
            with pytest.raises(TlsFailed, match="mismatch"):
                await fetcher.get(f"https://{name}:{port}/")


async def test_a_server_that_speaks_no_tls_is_a_failed_handshake() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.com ESMTP\r\n")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    host_port = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, Fetcher(allow={host_port}) as fetcher:
        with pytest.raises(TlsFailed, match="secure connection"):
            await fetcher.get(f"https://{host_port}/")
