"""The public internet on this machine: its names and ports lead to local servers."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import httpcore2

PUBLIC_ADDRESS = "93.184.215.14"
"""The address of every name."""


class PortMap(httpcore2.AnyIOBackend):
    """Connects ports 443 and 80 of `PUBLIC_ADDRESS` to ports of this machine. A port without one refuses connections.

    `dialled` lists the ports that were asked for.
    """

    def __init__(self, *, https: int = 0, http: int = 0) -> None:
        self._ports = {443: https, 80: http}
        self.dialled: list[int] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        assert host == PUBLIC_ADDRESS
        self.dialled.append(port)
        return await super().connect_tcp("127.0.0.1", self._ports.get(port) or _closed_port(), timeout)


async def resolve_publicly(_host: str, _port: int) -> list[str]:
    """Return `PUBLIC_ADDRESS` for every name."""
    return [PUBLIC_ADDRESS]


def _closed_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])
