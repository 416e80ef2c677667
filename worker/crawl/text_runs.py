"""A page's text between block boundaries, without what readers do not see."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

from worker.crawl.charset import drop_control_characters

_SKIPPED = frozenset(
    (  # noqa: SIM905  one name a line would fill the screen
        "audio button canvas datalist dialog embed head iframe img input math noscript object option script "
        "select style svg template textarea title video"
    ).split()
)
_BOILERPLATE = frozenset({"aside", "footer", "form", "menu", "nav"})
_BOILERPLATE_ROLES = frozenset({"banner", "contentinfo", "dialog", "menu", "navigation", "search"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset(
    (  # noqa: SIM905  one name a line would fill the screen
        "a abbr acronym b bdi bdo big cite code data del dfn em font i ins kbd label mark nobr q s samp small "
        "span strike strong sub sup time tt u var wbr"
    ).split()
)
_WORDS = re.compile(r"\w+")


@dataclass
class TextRun:
    """Text between two block boundaries; `linked` of its characters are link text."""

    text: str
    heading: bool = False
    linked: int = 0

    @property
    def navigational(self) -> bool:
        """Return whether the text is little else than links."""
        return not self.heading and len(self.text) < 150 and self.linked > 0.7 * len(self.text)


def read_text_runs(tree: HtmlElement, boilerplate: bool) -> Iterator[TextRun]:
    """Yield a page's text between block boundaries; with its menus, banners and forms if `boilerplate`.

    Without recursion: how deep a page nests is the page's choice.
    """
    parts: list[str] = []
    linked = 0
    links = 0
    heading = False
    walk = etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        tag = element.tag if isinstance(element.tag, str) else ""
        if event == "start":
            if _hidden(element, tag, boilerplate):
                walk.skip_subtree()
                continue
            text = element.text or ""
        else:
            text = element.tail or ""
        if tag and tag not in _INLINE and not _keeps_run(tag, event, parts):
            if run := _run(parts, heading, linked):
                yield run
            parts, linked = [], 0
            heading = event == "start" and tag in _HEADINGS
        if tag == "a":
            links += 1 if event == "start" else -1
        if tag == "pre" and event == "start":
            yield from _preformatted(element)
            walk.skip_subtree()
            continue
        parts.append(text)
        linked += len(text.strip()) if links > 0 else 0
    if run := _run(parts, heading, linked):
        yield run


def _keeps_run(tag: str, event: str, parts: list[str]) -> bool:
    """Return whether text goes on across a tag. Line breaks and table cells separate words, not paragraphs."""
    if tag == "br":
        parts.append(" ")
        return True
    if tag in ("td", "th"):
        if event == "end":
            parts.append(" | ")
        return True
    return False


def _run(parts: list[str], heading: bool, linked: int) -> TextRun | None:
    text = " ".join(drop_control_characters("".join(parts)).split()).strip(" |")
    return TextRun(text, heading, linked) if _WORDS.search(text) else None


def _preformatted(element: HtmlElement) -> Iterator[TextRun]:
    """Yield code with its lines, indented by four as in Markdown; without blank lines, which would separate
    paragraphs."""
    lines = drop_control_characters("".join(element.itertext())).splitlines()
    text = "\n".join(f"    {line.rstrip()}" for line in lines if line.strip())
    if text:
        yield TextRun(text)


def _hidden(element: HtmlElement, tag: str, boilerplate: bool) -> bool:
    if not tag or tag in _SKIPPED or element.get("hidden") is not None or element.get("aria-hidden") == "true":
        return True
    if "display:none" in (element.get("style") or "").replace(" ", "").lower():
        return True
    if boilerplate:
        return False
    if tag in _BOILERPLATE or element.get("role") in _BOILERPLATE_ROLES:
        return True
    return tag == "header" and element.find(".//h1") is None and not _inside_content(element)


def _inside_content(element: HtmlElement) -> bool:
    return next(element.iterancestors("article", "main", "section"), None) is not None
