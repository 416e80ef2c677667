"""The pages to read next, and their order. Pure and deterministic: the same addresses make the same plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable

from app.content.urls import AddressInvalid, canonical_address, is_same_site

_NOT_PAGES = re.compile(
    r"\.(?:avif|bmp|gif|ico|jpe?g|png|svg|tiff?|webp"
    r"|aac|avi|flac|m4[av]|mov|mp[34]|mpe?g|ogg|wav|webm"
    r"|7z|apk|bz2|deb|dmg|exe|gz|iso|jar|msi|rar|rpm|tar|tgz|whl|xz|zip"
    r"|csv|docx?|epub|ics|json|md5|odt|pdf|pptx?|rtf|sha256|sql|txt|vcf|xlsx?"
    r"|atom|css|eot|js|map|mjs|otf|rdf|rss|ttf|wasm|woff2?|xml|c|h)$",
    re.IGNORECASE,
)
_MACHINE_PATHS = re.compile(r"/(?:feed|rss|wp-json|wp-admin|wp-content|xmlrpc|cdn-cgi|api)(?:/|$)", re.IGNORECASE)
_SECONDARY = re.compile(
    r"/(?:our[-_])?(?:log-?in|sign-?in|sign-?up|register|log-?out|(?:my[-_])?account|password|cart|basket|checkout"
    r"|wishlist|privacy|terms|legal|imprint|impressum|datenschutz|agb|cookies?|disclaimer|gdpr|search|mentions-legales)"
    r"(?:[-_](?:policy|notice|of|and|service|use|sale|conditions|statement|information|settings))*(?:\.\w+)?(?:/|$)",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^[a-z]+://(?:www\.)?")


def choose_pages(
    home: str,
    proposed: Iterable[str],
    links: Iterable[str],
    sitemap: Iterable[str],
    limit: int,
    seen: Collection[str] = (),
    allowed: Callable[[str], bool] = lambda url: True,
) -> list[str]:
    """Return at most `limit` pages of the site of `home`: the proposed ones, then links, then the sitemap's.

    Addresses with a query come after all others, and logins, carts and legal texts come last. Leave out `home`, the
    `seen` addresses, those that `allowed` (robots.txt) refuses, and those that are no page.
    """
    keys = {page_key(url) for url in (home, *seen)}
    ranked: list[tuple[int, str]] = []
    for url in (*proposed, *links, *sitemap):
        if not is_page(url) or not is_same_site(url, home):
            continue
        key = page_key(url)
        if key in keys or not allowed(url):
            continue
        keys.add(key)
        ranked.append((_rank(url), _without_fragment(url)))
    return [url for _, url in sorted(ranked, key=lambda entry: entry[0])][:limit]


def page_key(url: str) -> str:
    """Return the same text for all addresses of a page: the canonical one without scheme, `www.` and last slash."""
    try:
        return _PREFIX.sub("", canonical_address(url)).rstrip("/")
    except AddressInvalid:
        return url


def is_page(url: str) -> bool:
    """Return whether an address looks like a page's by its path: not a file, a feed or an interface for machines."""
    if not url.startswith(("http://", "https://")):
        return False
    path = _path(url)
    return not _NOT_PAGES.search(path) and not _MACHINE_PATHS.search(path)


def _rank(url: str) -> int:
    if _SECONDARY.search(_path(url)):
        return 2
    return 1 if "?" in url else 0


def _path(url: str) -> str:
    _, _, rest = _without_fragment(url).partition("?")[0].partition("://")
    return "/" + rest.partition("/")[2]


def _without_fragment(url: str) -> str:
    return url.partition("#")[0]
