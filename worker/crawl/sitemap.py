"""Sitemaps: addresses that a site lists. They are only candidates: what is wrong in a file is left out, no error."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from app.content.urls import AddressInvalid, is_same_site, join_address
from worker.crawl.errors import CrawlError
from worker.crawl.fetch import Fetcher, HopCheck
from worker.crawl.response import FetchLimits

MAX_FILES = 6
MAX_ADDRESSES = 5000
_MAX_BYTES = 5_000_000
_LIMITS = FetchLimits(max_bytes=_MAX_BYTES)


@dataclass(frozen=True)
class Sitemap:
    """The addresses in one file: of pages, or of further sitemaps if it is an index."""

    pages: tuple[str, ...] = ()
    maps: tuple[str, ...] = ()


async def read_sitemaps(fetcher: Fetcher, url: str, named: Sequence[str], check: HopCheck | None = None) -> list[str]:
    """Return addresses of the site of `url`, in the order of its sitemaps: the `named` ones, else /sitemap.xml.

    Follow an index one level deep. Read at most `MAX_FILES` files, and return at most `MAX_ADDRESSES`.
    """
    queue = [(map_url, True) for map_url in _join_all(url, named or ["/sitemap.xml"])]
    pages: dict[str, None] = {}
    seen: set[str] = set()
    while queue and len(seen) < MAX_FILES:
        map_url, follow = queue.pop(0)
        if map_url in seen or not is_same_site(map_url, url):
            continue
        seen.add(map_url)
        try:
            fetched = await fetcher.get(map_url, _LIMITS, check)
        except CrawlError:
            continue
        sitemap = parse_sitemap(fetched.body)
        pages.update(dict.fromkeys(page for page in _join_all(map_url, sitemap.pages) if is_same_site(page, url)))
        if follow:
            queue += [(child, False) for child in _join_all(map_url, sitemap.maps)]
    return list(pages)[:MAX_ADDRESSES]


def parse_sitemap(body: bytes) -> Sitemap:
    """Parse XML or plain text, compressed or not. Expand no entity, and fetch nothing."""
    text = _decompress(body)
    if not text.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        lines = text.decode("utf-8-sig", "replace").splitlines()
        return Sitemap(pages=tuple(line.strip() for line in lines if line.strip().startswith("http")))
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True)
    try:
        root = etree.fromstring(text.lstrip(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return Sitemap()
    if root is None:
        return Sitemap()
    return Sitemap(pages=_locations(root, "url"), maps=_locations(root, "sitemap"))


def _locations(root: etree._Element, parent: str) -> tuple[str, ...]:
    found = root.iterfind(f"{{*}}{parent}/{{*}}loc")
    return tuple(loc.text.strip() for loc in found if loc.text and loc.text.strip())


def _join_all(base: str, references: Sequence[str]) -> list[str]:
    absolute = []
    for reference in references:
        try:
            absolute.append(join_address(base, reference))
        except AddressInvalid:
            continue
    return absolute


def _decompress(body: bytes) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(body)) as packed:
            return packed.read(_MAX_BYTES)
    except (OSError, EOFError, zlib.error):
        return b""
