"""Web addresses as people type them: checks, canonical forms, comparison. Nothing here touches the network.

The web form and the worker's guard use the same rules, so that the guard refuses no address for a text that the form
has accepted. Parsing follows the WHATWG URL standard, as browsers do: a host that a browser takes for an IP address, in
whatever notation, is one here too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from ada_url import URL, HostType

from app.content.ip_addresses import is_public

MAX_LENGTH = 2000
PORTS = frozenset({80, 443, 8080, 8443})

_DEFAULT_PORTS = {"http:": 80, "https:": 443}
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.IGNORECASE | re.DOTALL)
_PORT = re.compile(r"(\d{1,5})([/?#\\]|$)")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zs", "Zl", "Zp"})
_PRIVATE_SUFFIXES = frozenset(
    {"localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa"} | {"onion"}
)
_TRACKING = re.compile(
    r"(utm_\w+|gclid|gclsrc|dclid|gbraid|wbraid|fbclid|msclkid|yclid|twclid|igshid|mc_cid|mc_eid|_hsenc|_hsmi)",
    re.IGNORECASE,
)
_INDEX = re.compile(r"/index\.html?$", re.IGNORECASE)


class AddressInvalid(ValueError):
    """An address that is not fetched. The message is for the person who typed it.

    `code` names the rule: `empty`, `too-long`, `characters`, `malformed`, `scheme`, `credentials`, `host`, `private`,
    `unresolvable` or `port`.
    """

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def normalise_address(text: str, allow: Collection[str] = frozenset()) -> str:
    """Return the canonical address for typed text, without a fragment: `https://example.com/` for `example.com`.

    `allow` holds `host:port` pairs that pass although private or on another port (`[::1]:8000` for IPv6).
    Raise `AddressInvalid` for an address that may not be read.
    """
    typed = text.strip(" \t\r\n")
    _check_text(typed)
    url = _parse(_with_scheme(typed))
    if url.protocol not in _DEFAULT_PORTS:
        raise AddressInvalid("Only http and https addresses can be read.", "scheme")
    if url.username or url.password:
        raise AddressInvalid("Leave the user name and password out of the address.", "credentials")
    if ".." in url.hostname or url.hostname == ".":
        raise AddressInvalid("The address needs a whole host name, such as example.com.", "host")
    if url.host_type == HostType.DEFAULT and url.hostname.endswith("."):
        url.hostname = url.hostname[:-1]
        url = _parse(url.href)
    if host_port(url.href) not in allow:
        _check_host(url)
        _check_port(url)
    del url.hash
    _check_length(url.href)
    return url.href


def parse_typed_address(text: str, allow: Collection[str] = frozenset()) -> str:
    """Return the canonical address, without a scheme if none was typed: `example.com/` for `example.com`.

    A typed port implies its scheme, which is then returned too. Raise `AddressInvalid` as `normalise_address` does.
    """
    address = normalise_address(text, allow)
    typed = text.strip(" \t\r\n")
    full = _with_scheme(typed)
    if full == typed or _parse(full).port or _parse(full.replace("https:", "http:", 1)).port:
        return address
    return address.removeprefix("https://")


def candidate_addresses(typed: str) -> tuple[str, ...]:
    """Return the addresses that the result of `parse_typed_address` may mean, in the order to try them: https first."""
    return (typed,) if typed.startswith(("https://", "http://")) else (f"https://{typed}", f"http://{typed}")


def host_port(url: str) -> str:
    """Return `host:port` of an address, as `Settings.crawl_allow` lists it."""
    parsed = _parse(url)
    return f"{parsed.hostname}:{parsed.port or _DEFAULT_PORTS.get(parsed.protocol, '')}"


def origin(url: str) -> str:
    """Return scheme, host and port: `https://example.com`."""
    return _parse(url).origin


def is_same_site(a: str, b: str) -> bool:
    """Return whether two addresses are of one site: the same host and port, except for `www.` and the scheme."""
    try:
        return _site(a) == _site(b)
    except AddressInvalid:
        return False


def canonical_address(url: str) -> str:
    """Return the one address of a page: without fragment, tracking parameters, default port and `index.html`."""
    parsed = _parse(url)
    del parsed.hash
    parsed.pathname = _INDEX.sub("/", parsed.pathname)
    if parsed.search:
        parameters = [part for part in parsed.search[1:].split("&") if part and not _is_tracking(part)]
        parsed.search = "&".join(parameters)
        if not parameters:
            del parsed.search
    return parsed.href


def join_address(base: str, reference: str) -> str:
    """Return the absolute address of `reference` on the page `base`. Raise `AddressInvalid` if it is no address."""
    try:
        return URL(reference, base).href
    except (ValueError, UnicodeEncodeError):
        raise AddressInvalid("The page has a link that is not a web address.", "malformed") from None


def is_web_address(url: str) -> bool:
    """Return whether text of a model may link there."""
    return url.startswith(("http://", "https://"))


def web_address(url: str) -> str:
    """The address if it is safe as a link's target, else nothing."""
    return url if is_web_address(url) else ""


def _check_text(typed: str) -> None:
    if not typed:
        raise AddressInvalid("Type a web address, such as example.com.", "empty")
    _check_length(typed)
    if any(unicodedata.category(char) in _REFUSED_CATEGORIES for char in typed):
        raise AddressInvalid("A web address has no spaces or control characters in it.", "characters")


def _check_length(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise AddressInvalid(f"The address is too long: at most {MAX_LENGTH} characters.", "too-long")


def _with_scheme(typed: str) -> str:
    """Add the scheme that is missing. `example.com:8080` has none: its colon stands before a port or after a host."""
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
        raise AddressInvalid("This is not a web address. One looks like https://example.com.", "malformed") from None


def _check_host(url: URL) -> None:
    host = url.hostname
    if url.host_type != HostType.DEFAULT:
        if not is_public(host.strip("[]")):
            raise AddressInvalid("This address is inside a private network; only public sites can be read.", "private")
        return
    labels = host.split(".")
    if labels[-1] == "invalid":
        raise AddressInvalid("There is no such site. Check the address for a spelling mistake.", "unresolvable")
    if labels[-1] in _PRIVATE_SUFFIXES:
        raise AddressInvalid("This address is inside a private network; only public sites can be read.", "private")
    if len(labels) < 2 or not all(0 < len(label) <= 63 for label in labels) or len(host) > 253:
        raise AddressInvalid("The address needs a whole host name, such as example.com.", "host")


def _check_port(url: URL) -> None:
    if url.port and int(url.port) not in PORTS:
        listed = ", ".join(str(port) for port in sorted(PORTS))
        raise AddressInvalid(f"Port {url.port} is not read; sites on ports {listed} are.", "port")


def _site(url: str) -> tuple[str, str]:
    parsed = _parse(url)
    return parsed.hostname.removeprefix("www."), parsed.port


def _is_tracking(parameter: str) -> bool:
    return _TRACKING.fullmatch(parameter.partition("=")[0]) is not None
