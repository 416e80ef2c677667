"""Headings and phrases: cleaned, and cased as titles."""

from __future__ import annotations

import re

from worker.agents.text.sentences import flatten
from worker.agents.text.stopwords import base_language

_SMALL_WORDS = """
    a an and as at but by for from if in into nor of off on onto or over per than the to up via vs with without
"""
_SMALL = frozenset(_SMALL_WORDS.split())
_NUMBERING = re.compile(r"^(?:\(?[0-9]{1,3}(?:\.[0-9]+)*[.):]?\)?|[IVX]{1,4}\.|[A-Z]\.|§+\s*[0-9.]+|#+)\s+(?=\S)")
_SITE_PART = re.compile(r"\s+[|–—·»]+\s+|\s+-\s+|\s*\|\s*")
_TRAILING = re.compile(r"[\s#¶§:.…»>|-]+$")
_GENERIC_HEADINGS = """
    about; additional information; appendix; background; conclusion; conclusions; contents; changes; credits;
    details; example; example usage; examples; executive summary; faq; frequently asked questions; further reading;
    general; get started; common links; latest news; news and updates; latest release; useful links; quick links;
    products; services; solutions; features;
    history; home; home page; index; introduction; learn more; links; main; menu; more; news; notes; other; other
    notes; overview; preface; read more; references; resources; see also; summary; table of contents; welcome
"""
_GENERIC = frozenset(flatten(heading) for heading in _GENERIC_HEADINGS.split(";"))


def clean_heading(heading: str) -> str:
    """Return the heading without numbering, anchors and trailing marks."""
    cleaned = "".join(char for char in flatten(heading) if char.isprintable())
    while (shorter := _NUMBERING.sub("", cleaned)) != cleaned:
        cleaned = shorter
    return _TRAILING.sub("", cleaned).strip()


def strip_name(title: str, name: str) -> str:
    """Return a page's title without the site's name: "Pricing" for "Pricing | Acme" and "Pricing at Acme"."""
    parts = [part for part in _SITE_PART.split(title) if part.strip().lower() != name.lower()]
    longest = clean_heading(max(parts, key=len, default=""))
    if not name:
        return longest
    trimmed = re.sub(rf"\s+(?:in|of|for|with|by|at)\s+{re.escape(name)}$", "", longest, flags=re.IGNORECASE)
    return re.sub(rf"^(?:the\s+)?{re.escape(name)}(?:['’]s)?\s+(?=\S)", "", trimmed, flags=re.IGNORECASE)


def is_phrase(heading: str) -> bool:
    """Return whether a cleaned heading says what a section is about: two to nine words, and not only "See also"."""
    count = len(heading.split())
    return 2 <= count <= 9 and len(heading) <= 80 and not is_generic(heading) and "(" not in heading


def is_generic(heading: str) -> bool:
    """Return whether a heading could stand above anything: "Introduction", "Overview"."""
    return heading.lower().strip(" :.?!") in _GENERIC


def title_case(text: str, language: str = "en") -> str:
    """Return an English text with the capitals of titles, names and acronyms unchanged; others with a first capital."""
    if base_language(language) != "en":
        return capitalise(text)
    parts = text.split()
    cased = [
        _case_word(part, 0 < index < len(parts) - 1, _follows_stop(parts, index)) for index, part in enumerate(parts)
    ]
    return " ".join(cased)


def _follows_stop(parts: list[str], index: int) -> bool:
    return index > 0 and parts[index - 1].endswith((":", "?", "!"))


def _case_word(word: str, inner: bool, after_stop: bool) -> str:
    bare = word.strip("\"'“”‘’(),.:;?!")
    if inner and not after_stop and bare.lower() in _SMALL and not (bare.isupper() and len(bare) > 1):
        return word.lower()
    if any(char.isupper() for char in bare[1:]) or any(char.isdigit() or char in "_./" for char in bare):
        return word
    return "-".join(
        piece if index and piece.lower() in _SMALL else capitalise(piece) for index, piece in enumerate(word.split("-"))
    )


def capitalise(text: str) -> str:
    """Return the text with a capital first letter, the rest unchanged."""
    for index, char in enumerate(text):
        if char.isalpha():
            return text[:index] + char.upper() + text[index + 1 :]
    return text


def lower_case(phrase: str) -> str:
    """Return a title as it stands inside a sentence: acronyms and names with inner capitals keep theirs."""
    return " ".join(
        "-".join(piece if any(char.isupper() for char in piece[1:]) else piece.lower() for piece in word.split("-"))
        for word in phrase.split()
    )
