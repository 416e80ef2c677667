"""What to read next, and in which order. Pure and deterministic: the same finds give the same plan."""

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
_LAST = re.compile(
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
    """At most `limit` addresses of the site of `home` to read: the proposed ones first, then links, then the sitemap;
    within that order pages with a query later, and logins, carts and legal texts last.

    `home` and what is `seen` are left out, as is what `allowed` (robots.txt) does not pass and what is no page.
    """
    known = {page_key(url) for url in (home, *seen)}
    ranked: list[tuple[int, str]] = []
    for url in (*proposed, *links, *sitemap):
        if not is_page(url) or not is_same_site(url, home):
            continue
        key = page_key(url)
        if key in known or not allowed(url):
            continue
        known.add(key)
        ranked.append((_rank(url), _without_fragment(url)))
    return [url for _, url in sorted(ranked, key=lambda entry: entry[0])][:limit]


def page_key(url: str) -> str:
    """What two addresses of one page share: the canonical address, scheme, `www.` and a last slash aside."""
    try:
        return _PREFIX.sub("", canonical_address(url)).rstrip("/")
    except AddressInvalid:
        return url


def is_page(url: str) -> bool:
    """Whether an address looks like a page, going by its path: not a file, a feed or an interface for machines."""
    if not url.startswith(("http://", "https://")):
        return False
    path = _path(url)
    return not _NOT_PAGES.search(path) and not _MACHINE_PATHS.search(path)


def _rank(url: str) -> int:
    if _LAST.search(_path(url)):
        return 2
    return 1 if "?" in url else 0


def _path(url: str) -> str:
    _, _, rest = _without_fragment(url).partition("?")[0].partition("://")
    return "/" + rest.partition("/")[2]


def _without_fragment(url: str) -> str:
    return url.partition("#")[0]
