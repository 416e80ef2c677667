"""Addresses of a site, those first that say most about the company."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from app.content.values import KeyPage, PageLink
from worker.agents.text.titles import capitalise
from worker.crawl.frontier import is_page, page_key

MAX_KEY_PAGES = 8

# Best first. Addresses that match neither list stand between the two.
_INFORMATIVE = [
    re.compile(rf"(?:^|[/_.-])(?:{pattern})(?:$|[/_.-])")
    for pattern in (
        r"about(?:-?us)?|company|who-?we-?are|our-story|team|mission|ueber-uns|uber-uns|a-propos|sobre|chi-siamo",
        r"products?|platform|solutions?|services?|features?|offer(?:s|ings?)?|use-?cases?|leistungen|produkte",
        r"pricing|plans?|prices|preise|tarifs|precios",
        r"docs?|documentation|guides?|learn|help|faq|how-?it-?works|manual|overview|features",
        r"blog|news|articles?|posts?|insights?|resources|stories|case-?stud(?:y|ies)|customers|whats-?new",
        r"contact(?:-?us)?|kontakt|careers?|jobs",
    )
]
_UNINFORMATIVE = re.compile(
    r"legal|privacy|terms|imprint|impressum|cookies?|gdpr|datenschutz|login|log-in|signin|sign-in|signup|register"
    r"|account"
    r"|cart|checkout|basket|logout|wp-admin|tag|tags|category|author|feed|rss|search|sitemap|license|copyright|download"
)
_SEPARATORS = re.compile(r"[^a-z0-9]+")


def rank_addresses(home: str, links: Sequence[PageLink], candidates: Iterable[str]) -> list[str]:
    """Return the addresses of the links and candidates without the home page's, each page once, best first."""
    texts: dict[str, str] = {}
    urls: dict[str, str] = {}
    for url, text in [*((link.url, link.text) for link in links), *((url, "") for url in candidates)]:
        if not url.startswith(("http://", "https://")):
            continue
        key = page_key(url)
        urls.setdefault(key, url)
        texts[key] = texts.get(key) or text
    urls.pop(page_key(home), None)
    ranked = sorted(urls, key=lambda key: (_rank(urls[key], texts[key]), _path(urls[key]).rstrip("/").count("/")))
    return [urls[key] for key in ranked]


def choose_key_pages(home: str, links: Sequence[PageLink]) -> list[KeyPage]:
    """Return up to eight linked pages that say most about the company, each with a title."""
    titles: dict[str, str] = {}
    for link in links:
        if 2 < len(link.text.strip()) <= 60:
            titles.setdefault(page_key(link.url), link.text.strip())
    key_pages = [
        KeyPage(url=url, title=titles.get(page_key(url)) or _title_of(url))
        for url in rank_addresses(home, links, [])
        if _rank(url, titles.get(page_key(url), "")) < len(_INFORMATIVE)
    ]
    return key_pages[:MAX_KEY_PAGES]


def is_offer_page(url: str) -> bool:
    """Return whether an address is below a page of products, services or solutions."""
    return re.search(r"/(?:products?|solutions?|services?|features?|leistungen|produkte)/[^/]+", _path(url)) is not None


def _rank(url: str, text: str) -> int:
    path = _path(url)
    label = "/" + _SEPARATORS.sub("-", text.lower()).strip("-")
    if not is_page(url):
        return len(_INFORMATIVE) + 3
    words = re.split(r"[/.]|-(?=policy|notice|of)", path + "/" + label)
    if any(_UNINFORMATIVE.fullmatch(word) for word in words if word):
        return len(_INFORMATIVE) + 2
    for rank, pattern in enumerate(_INFORMATIVE):
        if pattern.search(path) or (len(text.split()) <= 4 and pattern.search(label)):
            return rank
    return len(_INFORMATIVE)


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return "/"


def _title_of(url: str) -> str:
    last = _path(url).rstrip("/").rpartition("/")[2].partition(".")[0]
    return capitalise(_SEPARATORS.sub(" ", last).strip()) or url
