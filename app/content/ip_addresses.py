"""IP addresses of the public internet."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

_NOT_PUBLIC_V4 = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; `ipaddress` calls it neither private nor global
        "127.0.0.0/8",
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/3",  # multicast, reserved, broadcast
    )
)
_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # Teredo and other protocol assignments
        "2001:db8::/32",
        "2002::/16",  # 6to4 wraps any IPv4 address
        "3fff::/20",
    )
)


def is_public(address: IPv4Address | IPv6Address | str) -> bool:
    """Return whether an IP address belongs to the public internet.

    An address that wraps another one (IPv4-mapped, 6to4, NAT64, Teredo) does not, whatever it wraps. The blocks are
    those of the IANA special-purpose registries; they stand here because `ipaddress` differs between versions of
    Python. Raise `ValueError` for text that is no IP address.
    """
    ip = ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in _NOT_PUBLIC_V4)
    return ip.scope_id is None and ip in _UNICAST_V6 and not any(ip in block for block in _NOT_PUBLIC_V6)
