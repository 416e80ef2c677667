"""Addresses in the order in which they tell most about a company."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from app.content.values import KeyPage, PageLink
from worker.agents.text.titles import capitalise

MAX_KEY_PAGES = 8

# Best first; what matches none stands between the two lists.
_INFORMATIVE = [
    (
        "about",
        r"about(?:-?us)?|company|who-?we-?are|our-story|team|mission|ueber-uns|uber-uns|a-propos|sobre|chi-siamo",
    ),
    (
        "products",
        r"products?|platform|solutions?|services?|features?|offer(?:s|ings?)?|use-?cases?|leistungen|produkte",
    ),
    ("pricing", r"pricing|plans?|prices|preise|tarifs|precios"),
    ("docs", r"docs?|documentation|guides?|learn|help|faq|how-?it-?works|manual|overview|features"),
    ("blog", r"blog|news|articles?|posts?|insights?|resources|stories|case-?stud(?:y|ies)|customers|whats-?new"),
    ("contact", r"contact(?:-?us)?|kontakt|careers?|jobs"),
]
_UNINFORMATIVE = re.compile(
    r"legal|privacy|terms|imprint|impressum|cookies?|gdpr|datenschutz|login|log-in|signin|sign-in|signup|register"
    r"|account"
    r"|cart|checkout|basket|logout|wp-admin|tag|tags|category|author|feed|rss|search|sitemap|license|copyright|download"
)
_FILE = re.compile(r"\.(?:pdf|zip|gz|tgz|png|jpe?g|gif|svg|webp|mp4|mp3|css|js|json|xml|ico|exe|dmg|docx?|xlsx?|txt)$")
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_INFORMATIVE_PATTERNS = [
    (name, re.compile(rf"(?:^|[/_.-])(?:{pattern})(?:$|[/_.-])")) for name, pattern in _INFORMATIVE
]


def rank_addresses(home: str, links: Sequence[PageLink], candidates: Iterable[str]) -> list[str]:
    """Every address of the links and candidates once, best first; the home page itself is left out."""
    texts: dict[str, str] = {}
    given: dict[str, str] = {}
    for url, text in [*((link.url, link.text) for link in links), *((url, "") for url in candidates)]:
        if not url.startswith(("http://", "https://")):
            continue
        key = _key(url)
        given.setdefault(key, url)
        texts[key] = texts.get(key) or text
    given.pop(_key(home), None)
    order = {key: index for index, key in enumerate(given)}
    ranked = sorted(given, key=lambda key: (_rank(key, texts[key]), _depth(key), order[key]))
    return [given[key] for key in ranked]


def choose_key_pages(home: str, links: Sequence[PageLink]) -> list[KeyPage]:
    """Up to eight linked pages that tell about the company, each with a title."""
    titles: dict[str, str] = {}
    for link in links:
        if 2 < len(link.text.strip()) <= 60:
            titles.setdefault(_key(link.url), link.text.strip())
    ranked = rank_addresses(home, links, [])
    telling = [url for url in ranked if _rank(_key(url), titles.get(_key(url), "")) < len(_INFORMATIVE)]
    return [KeyPage(url=url, title=titles.get(_key(url)) or _title_of(url)) for url in telling[:MAX_KEY_PAGES]]


def is_offer_page(url: str) -> bool:
    """Whether an address is below a page of products, services or solutions."""
    return re.search(r"/(?:products?|solutions?|services?|features?|leistungen|produkte)/[^/]+", _path(url)) is not None


def _rank(key: str, text: str) -> int:
    path = _path(key)
    label = "/" + _SEPARATORS.sub("-", text.lower()).strip("-")
    if _FILE.search(path):
        return len(_INFORMATIVE) + 3
    if any(
        _UNINFORMATIVE.fullmatch(piece)
        for piece in re.split(r"[/.]|-(?=policy|notice|of)", path + "/" + label)
        if piece
    ):
        return len(_INFORMATIVE) + 2
    for rank, (_, pattern) in enumerate(_INFORMATIVE_PATTERNS):
        if pattern.search(path) or (len(text.split()) <= 4 and pattern.search(label)):
            return rank
    return len(_INFORMATIVE)


def _key(url: str) -> str:
    return url.split("#", 1)[0].rstrip("/")


def _path(url: str) -> str:
    try:
        return urlsplit(url).path.lower()
    except ValueError:
        return "/"


def _depth(key: str) -> int:
    return _path(key).count("/")


def _title_of(url: str) -> str:
    last = _path(url).rstrip("/").rpartition("/")[2].partition(".")[0]
    return capitalise(_SEPARATORS.sub(" ", last).strip()) or url
