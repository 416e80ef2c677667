"""Where the pages are, and whether they are ready: `GET /readyz` (DESIGN section 8)."""

from __future__ import annotations

import asyncio
import errno
import socket

import httpx2

from app.launcher.errors import AddressInUse, CannotStart
from app.launcher.terminal import Say

CHECK_SECONDS = 0.1
PATIENCE_SECONDS = 60
EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  (where to ask, not to listen)


def get_address(host: str, port: int) -> str:
    """The address to open in a browser on this machine."""
    name = EVERYWHERE.get(host, host)
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def check_free(host: str, port: int) -> None:
    """
    Raises:
        AddressInUse: somebody listens there already.
        CannotStart: the host is not one of this machine's, or the port is not for us.
    """
    try:
        found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
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


async def wait_until_ready(address: str, say: Say, patience: float = PATIENCE_SECONDS) -> None:
    """Until `/readyz` says yes. Tells every `patience` seconds what it says instead, and goes on waiting."""
    clock = asyncio.get_running_loop().time
    tell_at = clock() + patience
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
        while True:
            ready, answer = await _ask(client, f"{address}/readyz")
            if ready:
                return
            if clock() >= tell_at:
                say("longhand", f"not ready after {patience:g} s; {address}/readyz says: {answer}")
                tell_at = clock() + patience
            await asyncio.sleep(CHECK_SECONDS)


async def _ask(client: httpx2.AsyncClient, address: str) -> tuple[bool, str]:
    try:
        response = await client.get(address)
    except httpx2.HTTPError as error:
        return False, f"no answer ({error or type(error).__name__})"
    return (response.status_code == 200, f"{response.status_code} {response.text[:500].strip()}")
