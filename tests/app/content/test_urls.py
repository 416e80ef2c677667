"""Web addresses as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.content.urls import (
    AddressInvalid,
    candidate_addresses,
    canonical_address,
    host_port,
    is_same_site,
    join_address,
    normalise_address,
    parse_typed_address,
)


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("example.com", "https://example.com/"),
        ("  Example.COM/About \n", "https://example.com/About"),
        ("//example.com/a", "https://example.com/a"),
        ("http://example.com:80/#top", "http://example.com/"),
        ("https://example.com./a", "https://example.com/a"),
        ("example.com:8080/shop", "http://example.com:8080/shop"),
        ("example.com:8443", "https://example.com:8443/"),
        ("https://münchen.de/straße", "https://xn--mnchen-3ya.de/stra%C3%9Fe"),
        ("HTTPS:\\\\example.com\\a", "https://example.com/a"),
        ("https://example.com/a/../b/./c?x=1", "https://example.com/b/c?x=1"),
        ("https://93.184.215.14/", "https://93.184.215.14/"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("example.com/mail:to", "https://example.com/mail:to"),
    ],
)
def test_typed_text_becomes_one_address(typed: str, address: str) -> None:
    assert normalise_address(typed) == address


@pytest.mark.parametrize(
    ("typed", "tried"),
    [
        ("example.com", ["https://example.com/", "http://example.com/"]),
        (" //Example.com./a?b#c ", ["https://example.com/a?b", "http://example.com/a?b"]),
        ("[2606:4700::1111]", ["https://[2606:4700::1111]/", "http://[2606:4700::1111]/"]),
        ("example.com/mail:to", ["https://example.com/mail:to", "http://example.com/mail:to"]),
        ("https://example.com", ["https://example.com/"]),
        ("HTTPS:example.com", ["https://example.com/"]),
        ("http://example.com", ["http://example.com/"]),
        ("example.com:443", ["https://example.com/"]),
        ("//example.com:443", ["https://example.com/"]),
        ("example.com:8443", ["https://example.com:8443/"]),
        ("example.com:80", ["http://example.com/"]),
        ("example.com:8080", ["http://example.com:8080/"]),
    ],
)
def test_both_schemes_are_tried_only_if_none_was_typed(typed: str, tried: list[str]) -> None:
    address = parse_typed_address(typed)
    assert list(candidate_addresses(address)) == tried
    assert parse_typed_address(address) == address
    assert normalise_address(address) == tried[0]


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \t\n", "empty"),
        ("https://example.com/" + "a" * 2000, "too-long"),
        ("example.com/a b", "characters"),
        ("example.com/\x00", "characters"),
        ("exam\nple.com", "characters"),
        ("example.com/\x7f", "characters"),
        ("example\u00a0.com", "characters"),
        ("example.com/\ud800", "characters"),
        ("ftp://example.com/", "scheme"),
        ("javascript:alert(1)", "scheme"),
        ("mailto:someone@example.com", "scheme"),
        ("file:///etc/passwd", "scheme"),
        ("data:text/html,hello", "scheme"),
        ("https://me:secret@example.com/", "credentials"),
        ("https://me@example.com/", "credentials"),
        ("https://", "malformed"),
        ("https://exa<mple.com", "malformed"),
        ("https://[::1", "malformed"),
        ("https://256.256.256.256/", "malformed"),
        ("example.com:99999", "malformed"),
        ("example", "host"),
        ("https://.example.com/", "host"),
        ("https://example..com/", "host"),
        ("https://1.2.3.4../", "host"),
        ("https://" + "a" * 64 + ".com/", "host"),
        ("localhost", "private"),
        ("nosuch.invalid", "unresolvable"),
        ("http://LOCALHOST./", "private"),
        ("http://shop.localhost/", "private"),
        ("printer.local", "private"),
        ("wiki.internal", "private"),
        ("http://2130706433/", "private"),
        ("example.com:22", "port"),
        ("https://example.com:6379/", "port"),
    ],
)
def test_an_address_that_is_not_public_is_refused_with_a_reason(typed: str, code: str) -> None:
    with pytest.raises(AddressInvalid) as refused:
        normalise_address(typed)
    assert refused.value.code == code
    assert str(refused.value).endswith(".")


def test_only_the_allowed_host_and_port_passes() -> None:
    allow = frozenset({"127.0.0.1:4001", "[::1]:4001", "intranet:80"})
    assert normalise_address("http://127.0.0.1:4001/a", allow) == "http://127.0.0.1:4001/a"
    assert normalise_address("http://0x7f.1:4001/", allow) == "http://127.0.0.1:4001/"
    assert normalise_address("http://[::1]:4001/", allow) == "http://[::1]:4001/"
    assert normalise_address("http://intranet/", allow) == "http://intranet/"
    for other in ("http://127.0.0.1:4002/", "http://127.0.0.2:4001/", "https://intranet/", "http://u@127.0.0.1:4001/"):
        with pytest.raises(AddressInvalid):
            normalise_address(other, allow)


_PIECES = st.sampled_from(
    [
        "http",
        "https",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "?",
        "#",
        ".",
        "..",
        "%",
        "%2e",
        "example",
        "com",
        "www",
        "[",
        "]",
        "::1",
        "127",
        "0x7f",
        "1",
        "8080",
        "443",
        "é",
        "ß",
        "xn--",
        "index.html",
        "utm_source=a",
        "&",
        "a",
        "-",
        "。",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(_PIECES, max_size=12).map("".join)))
def test_normalising_twice_changes_nothing(typed: str) -> None:
    try:
        once = normalise_address(typed)
    except AddressInvalid:
        return
    assert normalise_address(once) == once
    assert canonical_address(canonical_address(once)) == canonical_address(once)
    assert "#" not in once


def test_one_site_is_one_host_with_or_without_www() -> None:
    assert is_same_site("https://www.example.com/a", "http://example.com/b")
    assert not is_same_site("https://shop.example.com/", "https://example.com/")
    assert not is_same_site("https://example.com/", "https://example.com:8080/")
    assert not is_same_site("https://example.com/", "nonsense")


@pytest.mark.parametrize(
    ("address", "known_as"),
    [
        ("https://example.com/?utm_source=x&id=2&fbclid=y#a", "https://example.com/?id=2"),
        ("https://example.com/?UTM_Campaign=x", "https://example.com/"),
        ("https://example.com:443/guides/index.html", "https://example.com/guides/"),
        ("https://example.com/INDEX.HTM", "https://example.com/"),
        ("https://example.com/myindex.html", "https://example.com/myindex.html"),
        ("https://example.com/?utmost=1", "https://example.com/?utmost=1"),
    ],
)
def test_tracking_and_index_pages_are_one_page(address: str, known_as: str) -> None:
    assert canonical_address(address) == known_as


def test_host_and_port_have_the_form_of_the_setting() -> None:
    assert host_port("https://example.com/") == "example.com:443"
    assert host_port("http://[::1]:8000/") == "[::1]:8000"


def test_a_reference_that_is_no_address_is_refused() -> None:
    assert join_address("https://example.com/a/b", "../c") == "https://example.com/c"
    with pytest.raises(AddressInvalid):
        join_address("https://example.com/", "http://[")
