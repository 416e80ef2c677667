"""A page's main text as headings with their paragraphs.

trafilatura separates the page's own text from menus, banners and boilerplate; the page's markup marks headings and
paragraphs. Of landing pages that are made of small cards trafilatura keeps too little: then all text is taken that is
not plainly navigation.
"""

from __future__ import annotations

import copy
import logging
import re

from lxml.html import HtmlElement

from app.content.values import PageBlock
from worker.crawl.text_runs import TextRun, read_text_runs

MAX_TEXT = 400_000

# trafilatura warns of every page without text; such a page is an error of ours already, with a message for people.
logging.getLogger("trafilatura").setLevel(logging.ERROR)

_MIN_SHARE = 0.4
_SHORT = 25
_WORDS = re.compile(r"\w+")


def read_blocks(tree: HtmlElement) -> list[PageBlock]:
    """Return the main text of a parsed page; empty when it has none."""
    runs = list(read_text_runs(tree, boilerplate=False))
    plain = [run for run in runs if not run.navigational]
    main = _main_runs(tree, runs)
    chosen = main if _length(main) >= _MIN_SHARE * _length(plain) else plain
    return _group(chosen)


def visible_text(tree: HtmlElement) -> str:
    """Return all text that a reader would see, menus included, as one line."""
    return " ".join(run.text for run in read_text_runs(tree, boilerplate=True))


def _main_runs(tree: HtmlElement, runs: list[TextRun]) -> list[TextRun]:
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


def _heads_mostly_kept(runs: list[TextRun], kept: list[bool], heading: int) -> bool:
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


def _group(runs: list[TextRun]) -> list[PageBlock]:
    blocks: list[PageBlock] = []
    heading = ""
    paragraphs: list[str] = []
    left = MAX_TEXT
    for run in (*runs, TextRun("", heading=True)):
        if not run.heading:
            paragraphs.append(run.text[:left])
            left -= len(paragraphs[-1])
        else:
            if text := "\n\n".join(filter(None, paragraphs)):
                blocks.append(PageBlock(heading=heading, text=text))
            heading, paragraphs = run.text[:300], []
    return blocks


def _length(runs: list[TextRun]) -> int:
    return sum(len(run.text) for run in runs if not run.heading)


def _squeeze(text: str) -> str:
    return "".join(_WORDS.findall(text.lower()))
