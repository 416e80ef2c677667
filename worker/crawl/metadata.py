"""A page's title, description, site name, language and links."""

from __future__ import annotations

import re

from lxml.html import HtmlElement

from app.content.urls import AddressInvalid, is_same_site, join_address
from app.content.values import PageLink
from worker.crawl.charset import drop_control_characters
from worker.crawl.frontier import page_key
from worker.crawl.language import detect_language

MAX_LINKS = 1000

_SEPARATORS = re.compile(r"\s+(?:[|–—·•»«:~]|::|--?|>|/)\s+")
_LANGUAGE = re.compile(r"^([a-z]{2,3})(?:[-_]|$)", re.IGNORECASE)
_LONGEST = {"title": 300, "description": 1000, "site_name": 150, "link": 200}


def read_title(tree: HtmlElement, url: str, site_name: str) -> str:
    """Return the page's title without the site's name at either end; the home page's title as it is."""
    heading = _line(_first_heading(tree))
    title = _line(tree.findtext(".//head/title") or "") or read_meta(tree, "og:title") or heading
    if not title:
        return _from_path(url)
    if _path(url) in ("", "index"):
        return title[: _LONGEST["title"]]
    return _without_site(title, heading, site_name, url)[: _LONGEST["title"]]


def read_description(tree: HtmlElement) -> str:
    """Return the description in the page's meta elements, or nothing."""
    found = read_meta(tree, "description") or read_meta(tree, "og:description")
    return found[: _LONGEST["description"]]


def read_site_name(tree: HtmlElement) -> str:
    """Return the site's name in the page's meta elements, or nothing."""
    found = read_meta(tree, "og:site_name") or read_meta(tree, "application-name")
    return found[: _LONGEST["site_name"]]


def read_meta(tree: HtmlElement, name: str) -> str:
    """Return the first non-empty content of a meta element with this `name` or `property`."""
    for element in tree.iter("meta"):
        names = {(element.get("name") or "").lower(), (element.get("property") or "").lower()}
        if name in names and (content := _line(element.get("content") or "")):
            return content
    return ""


def read_language(tree: HtmlElement, text: str) -> str:
    """Return two or three letters (ISO 639): the page's own declaration, else its text's language; empty if unknown."""
    for root in tree.iter("html"):
        declared = _LANGUAGE.match((root.get("lang") or root.get("xml:lang") or "").strip())
        if declared:
            return declared[1].lower()
    return detect_language(text) or ""


def read_links(tree: HtmlElement, url: str) -> list[PageLink]:
    """Return the links to other pages of the same site: absolute, each once, in document order.

    A page's text is that of the first of its links that has one.
    """
    base = _base(tree, url)
    found: dict[str, PageLink] = {}
    own = page_key(url)
    for element in tree.iter("a", "area"):
        target = _target(base, (element.get("href") or "").strip())
        if not target or not is_same_site(target, url):
            continue
        key = page_key(target)
        if key == own or (key in found and found[key].text):
            continue
        text = _link_text(element)
        found[key] = PageLink(url=found[key].url if key in found else target, text=text)
        if len(found) >= MAX_LINKS:
            break
    return list(found.values())


def _target(base: str, reference: str) -> str:
    if not reference or reference.startswith("#"):
        return ""
    try:
        target = join_address(base, reference).partition("#")[0]
    except AddressInvalid:
        return ""
    return target if target.startswith(("http://", "https://")) and len(target) <= 2000 else ""


def _link_text(element: HtmlElement) -> str:
    text = _line("".join(element.itertext())) or _line(element.get("aria-label") or element.get("title") or "")
    if not text:
        text = next((_line(image.get("alt") or "") for image in element.iter("img")), "")
    return text[: _LONGEST["link"]]


def _base(tree: HtmlElement, url: str) -> str:
    for element in tree.iter("base"):
        if href := element.get("href"):
            try:
                return join_address(url, href)
            except AddressInvalid:
                break
    return url


def _first_heading(tree: HtmlElement) -> str:
    heading = next(tree.iter("h1"), None)
    return "" if heading is None else " ".join(heading.itertext())


def _without_site(title: str, heading: str, site_name: str, url: str) -> str:
    """Return `Pricing` for `Pricing | Alder & Spoke`: without an end that is the site's name or its host, or the end
    that is the page's heading alone."""
    parts = _SEPARATORS.split(title)
    if len(parts) < 2:
        return title
    for end in (-1, 0):
        if _is_site(parts[end], site_name, url):
            rest = _cut(title, parts, end)
            return rest or title
    for part in (parts[0], parts[-1]):
        if heading and _letters(part) == _letters(heading):
            return part
    return title


def _cut(title: str, parts: list[str], end: int) -> str:
    cut = title[: -len(parts[-1])] if end == -1 else title[len(parts[0]) :]
    return cut.strip(" \t|–—·•»«:~->/")


def _is_site(part: str, site_name: str, url: str) -> bool:
    letters = _letters(part)
    host = url.partition("://")[2].partition("/")[0].partition(":")[0].removeprefix("www.")
    labels = {_letters(label) for label in host.split(".")[:-1]} | {_letters(host)}
    return bool(letters) and (letters == _letters(site_name) or letters in labels)


def _letters(text: str) -> str:
    plain = text.lower().replace("&", "and")
    return "".join(char for char in plain if char.isalnum())


def _path(url: str) -> str:
    path = url.partition("://")[2].partition("?")[0].partition("/")[2].strip("/")
    return re.sub(r"\.\w+$", "", path.rpartition("/")[2]) if path else ""


def _from_path(url: str) -> str:
    words = re.sub(r"[-_]+", " ", _path(url)).strip()
    return words[:1].upper() + words[1:] if words else url.partition("://")[2].partition("/")[0]


def _line(text: str) -> str:
    return " ".join(drop_control_characters(text).split())
