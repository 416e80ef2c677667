"""The guard: connections to public addresses only.

It sits under the HTTP client as its network backend, where every connection begins, redirected ones too. It resolves
a name once, checks every address it got, and connects to a checked one: a name that changes its answer between the
check and the connection gains nothing. TLS still verifies the name, because only the connecting is done by number.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address

import httpcore2

from app.content.ip_addresses import is_public
from worker.crawl.errors import AddressRefused, HostUnresolvable

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Returns the IP addresses of a host and port, in order of preference; raises `OSError` when there are none."""


async def resolve_host(host: str, port: int) -> list[str]:
    """Resolve by the operating system."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to checked addresses only.

    `allow` holds `host:port` pairs that pass although private; `backend` opens the connections to checked addresses.
    """

    def __init__(
        self,
        allow: Collection[str] = frozenset(),
        resolve: Resolver = resolve_host,
        backend: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self._allow = frozenset(allow)
        self._resolve = resolve
        self._backend = backend or httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the base class has it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first checked address that answers; each gets its share of `timeout` (seconds).

        Raise `AddressRefused`, `HostUnresolvable`, or the HTTP client's error for a failed connection.
        """
        addresses = await self._checked_addresses(host, port)
        share = timeout / len(addresses) if timeout is not None else None
        failure: Exception | None = None
        for address in addresses:
            try:
                return await self._backend.connect_tcp(str(address), port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError(f"{host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  the base class has it
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise AddressRefused("Local sockets are not read.")

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _checked_addresses(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        bare = host.strip("[]").lower()
        addresses = await self._addresses(bare, port)
        if not addresses:
            raise HostUnresolvable(bare)
        named = f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"
        # One private address among public ones is refused too: the site does not get to choose which one is used.
        if named not in self._allow and not all(is_public(address) for address in addresses):
            raise AddressRefused(f"{bare} leads inside a private network; only public sites can be read.")
        return addresses

    async def _addresses(self, host: str, port: int) -> list[IPv4Address | IPv6Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        try:
            return [ip_address(text) for text in await self._resolve(host, port)]
        except OSError as error:
            again = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
            raise HostUnresolvable(host, transient=again) from error
        except UnicodeError as error:  # a label that no name server can hold
            raise HostUnresolvable(host) from error
