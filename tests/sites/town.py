"""A place on the internet whose ports are on this machine."""

from __future__ import annotations

import socket
from collections.abc import Iterable

import httpcore2

PUBLIC = "93.184.215.14"
"""Where its names lead."""


class Town(httpcore2.AnyIOBackend):
    """Leads the ports of the internet to ports of this machine. What has none is refused, as by a closed port."""

    def __init__(self, **ports: int) -> None:
        self._ports = {443: ports.get("https"), 80: ports.get("http")}
        self.dialled: list[int] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        assert host == PUBLIC
        self.dialled.append(port)
        return await super().connect_tcp("127.0.0.1", self._ports.get(port) or _closed_port(), timeout)


async def resolve_in_town(_host: str, _port: int) -> list[str]:
    """Every name leads there."""
    return [PUBLIC]


def _closed_port() -> int:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return int(closed.getsockname()[1])
