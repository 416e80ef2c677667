"""The address of the pages, and the wait until they are ready: `GET /readyz` (DESIGN section 8)."""

from __future__ import annotations

import asyncio
import errno
import socket

import httpx2

from app.launcher.errors import AddressInUse, CannotStart
from app.launcher.terminal import PrintLine

CHECK_SECONDS = 0.1
REPORT_SECONDS = 60
_WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (addresses to connect to, not to listen on)


def get_address(host: str, port: int) -> str:
    """Return the address to open in a browser on this machine."""
    name = _WILDCARDS.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def check_free(host: str, port: int) -> None:
    """Check that the host and port can be listened on.

    Raises:
        AddressInUse: another program listens there.
        CannotStart: the host is no address of this machine, or this user may not use the port.
    """
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in addresses:
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AddressInUse(
                f"Port {port} of {host} is in use by another program. Stop that, or set LONGHAND_PORT to another port."
            ) from None
        raise CannotStart(f"Longhand cannot listen on {host}, port {port}: {error.strerror}.") from None


async def wait_until_ready(address: str, print_line: PrintLine, report_seconds: float = REPORT_SECONDS) -> None:
    """Wait until `/readyz` answers 200. Print its answer every `report_seconds` until then."""
    clock = asyncio.get_running_loop().time
    report_at = clock() + report_seconds
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
        while True:
            ready, answer = await _request(client, f"{address}/readyz")
            if ready:
                return
            if clock() >= report_at:
                print_line("longhand", f"not ready after {report_seconds:g} s; {address}/readyz says: {answer}")
                report_at = clock() + report_seconds
            await asyncio.sleep(CHECK_SECONDS)


async def _request(client: httpx2.AsyncClient, address: str) -> tuple[bool, str]:
    try:
        response = await client.get(address)
    except httpx2.HTTPError as error:
        return False, f"no answer ({error or type(error).__name__})"
    return (response.status_code == 200, f"{response.status_code} {response.text[:500].strip()}")
