"""Web addresses as people type them: checked, made canonical, compared. Pure: nothing here touches the network.

The web form and the worker's guard use the same rules, so that an address the form takes is not refused later for its
text. Parsing follows the WHATWG URL standard, as browsers do: what a browser would call an IP address, in whatever
notation, is one here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from ada_url import URL, HostType

MAX_LENGTH = 2000
PORTS = frozenset({80, 443, 8080, 8443})

_DEFAULT_PORTS = {"http:": 80, "https:": 443}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r"(\d{1,5})([/?#\\]|$)")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zs", "Zl", "Zp"})
_PRIVATE_SUFFIXES = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa"} | {"onion"}
)
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
_TRACKING = re.compile(
    r"(utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi)",
    re.IGNORECASE,
)
_INDEX = re.compile(r"/index\.html?$", re.IGNORECASE)


class AddressRefused(ValueError):
    """An address that is not fetched. The message is for the person who typed it; `code` names the rule:
    `empty`, `too-long`, `characters`, `malformed`, `scheme`, `credentials`, `host`, `private`, `port`."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def normalise_address(text: str, allow: Collection[str] = frozenset()) -> str:
    """The canonical address for what somebody typed: `example.com` gives `https://example.com/`. No fragment.

    `allow` holds `host:port` pairs that pass although private or on another port (`[::1]:8000` for IPv6).
    Raises `AddressRefused`.
    """
    typed = text.strip(" \t\r\n")
    _check_text(typed)
    url = _parse(_with_scheme(typed))
    if url.protocol not in _DEFAULT_PORTS:
        raise AddressRefused("Only http and https addresses can be read.", "scheme")
    if url.username or url.password:
        raise AddressRefused("Leave the user name and password out of the address.", "credentials")
    if ".." in url.hostname or url.hostname == ".":
        raise AddressRefused("The address needs a whole host name, such as example.com.", "host")
    if url.host_type == HostType.DEFAULT and url.hostname.endswith("."):
        url.hostname = url.hostname[:-1]
        url = _parse(url.href)
    if host_port(url.href) not in allow:
        _check_host(url)
        _check_port(url)
    del url.hash
    _check_length(url.href)
    return url.href


def typed_address(text: str, allow: Collection[str] = frozenset()) -> str:
    """`normalise_address`, without the scheme where that would be a guess: `example.com` gives `example.com/`.

    Whoever types a scheme or a port means it.
    """
    address = normalise_address(text, allow)
    typed = text.strip(" \t\r\n")
    full = _with_scheme(typed)
    if full == typed or _parse(full).port or _parse(full.replace("https:", "http:", 1)).port:
        return address
    return address.removeprefix("https://")


def schemes_of(typed: str) -> tuple[str, ...]:
    """The addresses that a `typed_address` may mean, in the order in which they are tried: https first."""
    return (typed,) if typed.startswith(("https://", "http://")) else (f"https://{typed}", f"http://{typed}")


def is_public(address: IPv4Address | IPv6Address | str) -> bool:
    """Whether an IP address is one of the public internet. What wraps another address (IPv4-mapped, 6to4, NAT64,
    Teredo) is not, whatever it wraps. Text that is no IP address raises `ValueError`.

    From the IANA special-purpose registries; stated here because `ipaddress` differs between Python's versions.
    """
    ip = ip_address(address) if isinstance(address, str) else address
    if isinstance(ip, IPv4Address):
        return not any(ip in block for block in _NOT_PUBLIC_V4)
    return ip.scope_id is None and ip in _UNICAST_V6 and not any(ip in block for block in _NOT_PUBLIC_V6)


def host_port(url: str) -> str:
    """`host:port` of an address, as it stands in `Settings.crawl_allow`."""
    parsed = _parse(url)
    return f"{parsed.hostname}:{parsed.port or _DEFAULT_PORTS.get(parsed.protocol, '')}"


def origin(url: str) -> str:
    """Scheme, host and port: `https://example.com`."""
    return _parse(url).origin


def same_site(a: str, b: str) -> bool:
    """Whether two addresses are of one site: the same host, `www.` and http or https aside."""
    try:
        return _site(a) == _site(b)
    except AddressRefused:
        return False


def canonical(url: str) -> str:
    """The address under which a page is known once: no fragment, tracking parameters, default port or `index.html`."""
    parsed = _parse(url)
    del parsed.hash
    parsed.pathname = _INDEX.sub("/", parsed.pathname)
    if parsed.search:
        kept = [part for part in parsed.search[1:].split("&") if part and not _is_tracking(part)]
        parsed.search = "&".join(kept)
        if not kept:
            del parsed.search
    return parsed.href


def join_address(base: str, reference: str) -> str:
    """The absolute address that `reference` means on the page `base`. Raises `AddressRefused` when it means none."""
    try:
        return URL(reference, base).href
    except (ValueError, UnicodeEncodeError):
        raise AddressRefused("The page has a link that is not a web address.", "malformed") from None


def is_web_address(url: str) -> bool:
    """Return whether text of a model may link there."""
    return url.startswith(("http://", "https://"))


def web_address(url: str) -> str:
    """The address if it is safe as a link's target, else nothing."""
    return url if is_web_address(url) else ""


def _check_text(typed: str) -> None:
    if not typed:
        raise AddressRefused("Type a web address, such as example.com.", "empty")
    _check_length(typed)
    if any(unicodedata.category(char) in _REFUSED_CATEGORIES for char in typed):
        raise AddressRefused("A web address has no spaces or control characters in it.", "characters")


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise AddressRefused(f"The address is too long: at most {MAX_LENGTH} characters.", "too-long")


def _with_scheme(typed: str) -> str:
    """Tells `example.com:8080` from `mailto:me`: what follows the colon is a port, or what stands before is a host."""
    if typed.startswith("//"):
        return f"https:{typed}"
    match = _SCHEME.match(typed)
    if not match:
        return f"https://{typed}"
    before, after = match.groups()
    if port := _PORT.match(after):
        # A port other than TLS's own ones means plain http, as it does for most servers.
        return f"{'https' if port[1] in ('443', '8443') else 'http'}://{typed}"
    return f"https://{typed}" if "." in before and not after.startswith("//") else typed


def _parse(url: str) -> URL:
    try:
        return URL(url)
    except (ValueError, UnicodeEncodeError):
        raise AddressRefused("This is not a web address. One looks like https://example.com.", "malformed") from None


def _check_host(url: URL) -> None:
    host = url.hostname
    if url.host_type != HostType.DEFAULT:
        if not is_public(host.strip("[]")):
            raise AddressRefused("This address is inside a private network; only public sites can be read.", "private")
        return
    labels = host.split(".")
    if labels[-1] == "invalid":
        raise AddressRefused("There is no such site. Check the address for a spelling mistake.", "unresolvable")
    if labels[-1] in _PRIVATE_SUFFIXES:
        raise AddressRefused("This address is inside a private network; only public sites can be read.", "private")
    if len(labels) < 2 or not all(0 < len(label) <= 63 for label in labels) or len(host) > 253:
        raise AddressRefused("The address needs a whole host name, such as example.com.", "host")


def _check_port(url: URL) -> None:
    if url.port and int(url.port) not in PORTS:
        listed = ", ".join(str(port) for port in sorted(PORTS))
        raise AddressRefused(f"Port {url.port} is not read; sites on ports {listed} are.", "port")


def _site(url: str) -> tuple[str, str]:
    parsed = _parse(url)
    return parsed.hostname.removeprefix("www."), parsed.port


def _is_tracking(parameter: str) -> bool:
    return _TRACKING.fullmatch(parameter.partition("=")[0]) is not None
