"""A page's main text as headings with their paragraphs.

trafilatura separates the page's own text from menus, banners and boilerplate; the page's markup marks headings and
paragraphs. Of landing pages that are made of small cards trafilatura keeps too little: then all text is taken that is
not plainly navigation.
"""

from __future__ import annotations

import copy
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree
from lxml.html import HtmlElement

from app.content.values import PageBlock
from worker.crawl.charset import drop_control_characters

MAX_TEXT = 400_000

# trafilatura warns of every page without text; such a page is an error of ours already, with a message for people.
logging.getLogger("trafilatura").setLevel(logging.ERROR)

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
_MIN_SHARE = 0.4
_SHORT = 25
_WORDS = re.compile(r"\w+")


@dataclass
class _TextRun:
    """Text between two block boundaries; `linked` of its characters are link text."""

    text: str
    heading: bool = False
    linked: int = 0

    @property
    def navigational(self) -> bool:
        return not self.heading and len(self.text) < 150 and self.linked > 0.7 * len(self.text)


def read_blocks(tree: HtmlElement) -> list[PageBlock]:
    """Return the main text of a parsed page; empty when it has none."""
    runs = list(_text_runs(tree, boilerplate=False))
    plain = [run for run in runs if not run.navigational]
    main = _main_runs(tree, runs)
    chosen = main if _length(main) >= _MIN_SHARE * _length(plain) else plain
    return _group(chosen)


def visible_text(tree: HtmlElement) -> str:
    """Return all text that a reader would see, menus included, as one line."""
    return " ".join(run.text for run in _text_runs(tree, boilerplate=True))


def _main_runs(tree: HtmlElement, runs: list[_TextRun]) -> list[_TextRun]:
    import trafilatura  # slow to load: a worker is ready before it is, and pages are read in threads

    document = trafilatura.bare_extraction(
        copy.deepcopy(tree), favor_recall=True, include_comments=False, include_tables=True, with_metadata=False
    )
    body = getattr(document, "body", None)
    if body is None:
        return []
    whole = _squeeze(" ".join(body.itertext()))
    pieces = {_squeeze(piece) for piece in body.itertext()}
    kept = [not run.heading and _stands_in(run.text, whole, pieces) for run in runs]
    for place, run in enumerate(runs):
        if run.heading:
            kept[place] = _heads_mostly_kept(runs, kept, place)
    return [run for run, stays in zip(runs, kept, strict=True) if stays]


def _heads_mostly_kept(runs: list[_TextRun], kept: list[bool], heading: int) -> bool:
    """Return whether most of the text under a heading is kept.

    If most of it is left out (a list of links), the heading is left out too. Otherwise the text that follows the list
    would stand under the wrong heading.
    """
    lengths = {True: 0, False: 0}
    for run, stays in zip(runs[heading + 1 :], kept[heading + 1 :], strict=True):
        if run.heading:
            break
        lengths[stays] += len(run.text)
    return lengths[True] > lengths[False]


def _stands_in(text: str, whole: str, pieces: set[str]) -> bool:
    """Return whether trafilatura kept a text. A short one is part of many others: it must be a piece of its own."""
    cells = [_squeeze(cell) for cell in text.split(" | ")]
    return all(cell in pieces if len(cell) < _SHORT else cell[:80] in whole for cell in cells if cell)


def _text_runs(tree: HtmlElement, boilerplate: bool) -> Iterator[_TextRun]:
    """Yield the text between block boundaries. Without recursion: how deep a page nests is the page's choice."""
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


def _run(parts: list[str], heading: bool, linked: int) -> _TextRun | None:
    text = " ".join(drop_control_characters("".join(parts)).split()).strip(" |")
    return _TextRun(text, heading, linked) if _WORDS.search(text) else None


def _preformatted(element: HtmlElement) -> Iterator[_TextRun]:
    """Yield code with its lines, indented by four as in Markdown; without blank lines, which would separate
    paragraphs."""
    lines = drop_control_characters("".join(element.itertext())).splitlines()
    text = "\n".join(f"    {line.rstrip()}" for line in lines if line.strip())
    if text:
        yield _TextRun(text)


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


def _group(runs: list[_TextRun]) -> list[PageBlock]:
    blocks: list[PageBlock] = []
    heading = ""
    paragraphs: list[str] = []
    left = MAX_TEXT
    for run in (*runs, _TextRun("", heading=True)):
        if not run.heading:
            paragraphs.append(run.text[:left])
            left -= len(paragraphs[-1])
        else:
            if text := "\n\n".join(filter(None, paragraphs)):
                blocks.append(PageBlock(heading=heading, text=text))
            heading, paragraphs = run.text[:300], []
    return blocks


def _length(runs: list[_TextRun]) -> int:
    return sum(len(run.text) for run in runs if not run.heading)


def _squeeze(text: str) -> str:
    return "".join(_WORDS.findall(text.lower()))
