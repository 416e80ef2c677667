from __future__ import annotations

import asyncio
import socket

import pytest

from app.launcher.embedded_redis import find_free_port
from app.launcher.errors import AddressInUse, CannotStart
from app.launcher.readiness import check_free, get_address, wait_until_ready
from tests.app.launcher.recording import Recording


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUse, match=rf"Port {port} .* LONGHAND_PORT"):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotStart, match=r"cannot listen on 192\.0\.2\.1"):
        check_free("192.0.2.1", find_free_port("127.0.0.1"))


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000"),
        ("0.0.0.0", "http://127.0.0.1:8000"),
        ("::", "http://[::1]:8000"),
        ("box.local", "http://box.local:8000"),
    ],
)
def test_the_address_can_be_opened_on_this_machine(host: str, address: str) -> None:
    assert get_address(host, 8000) == address


async def test_it_waits_through_refusals_and_tells_what_was_said() -> None:
    """Ask a server that is busy twice and then ready."""
    answers = iter([b"503 Service Unavailable", b"503 Service Unavailable", b"200 OK"])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 " + next(answers) + b"\r\nConnection: close\r\nContent-Length: 9\r\n\r\nno worker")
        await writer.drain()
        writer.close()

    said = Recording()
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await asyncio.wait_for(wait_until_ready(f"http://127.0.0.1:{port}", said, report_seconds=0), 30)
    assert [line.split("says: ")[1] for _, line in said.lines] == ["503 no worker", "503 no worker"]
    assert next(answers, None) is None
