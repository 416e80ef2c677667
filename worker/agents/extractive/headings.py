"""Headings of sections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from worker.agents.extractive.clusters import Cluster
from worker.agents.text.similarity import terms
from worker.agents.text.stopwords import base_language
from worker.agents.text.titles import capitalise, is_generic, is_phrase, strip_name, title_case

_OPENING_HEADINGS = ("introduction", "overview", "summary", "about", "background")


@dataclass(frozen=True)
class HeadingStyle:
    """How headings are made: in which language, and without the name of which site."""

    site: str
    language: str


def choose_heading(cluster: Cluster, phrases: Sequence[str], used: set[str], style: HeadingStyle) -> str:
    """Return a heading for a cluster, from the page's heading and title and the cluster's key phrases.

    Its key is none of the `used` ones.
    """
    language = style.language
    candidates = [*_own_headings(cluster, phrases, style), *_phrase_headings(phrases, language)]
    title = _subject_of(cluster, style)
    if title and base_language(language) == "en":
        candidates.append(f"{title_case(title, language)} in Brief")
    candidates += _pair_headings(phrases, language)
    candidates += [f"{capitalise(phrase)}: {title}" for phrase in phrases] + [title]
    for candidate in candidates:
        if candidate and heading_key(candidate, language) not in used:
            return candidate[:200]
    number = 2
    while heading_key(f"{candidates[0] or title} ({number})", language) in used:
        number += 1
    return f"{candidates[0] or title or 'More'} ({number})"[:200]


def _own_headings(cluster: Cluster, phrases: Sequence[str], style: HeadingStyle) -> list[str]:
    """Return headings from that of the page: itself if it is a phrase, else a phrase with it."""
    own, language = cluster.heading, style.language
    if is_phrase(own):
        return [title_case(own, language)]
    if not own or len(own) > 80 or len(own.split()) > 9:
        return []
    if base_language(language) != "en":
        return [] if is_generic(own) else [own]
    subject = title_case(_subject_of(cluster, style), language)
    if is_generic(own):
        return [f"{subject} in Brief"] if own.lower() in _OPENING_HEADINGS and subject else []
    extending = [p for p in phrases if len(p.split()) > 1 and set(terms(own, language)) < set(terms(p, language))]
    if own.endswith("ing"):
        return [f"How {title_case(own, language)} Works"]
    apart = not set(terms(own, language)) & set(terms(subject, language))
    if subject and apart and len(subject.split()) <= 4:
        return [title_case(f"{own} in {subject}", language)]
    return [title_case(phrase, language) for phrase in extending[:1]]


def _subject_of(cluster: Cluster, style: HeadingStyle) -> str:
    """Return the subject of the page: its title without the site's name and "… in Acme"."""
    return strip_name(cluster.members[cluster.lead].passage.title, style.site)


def _phrase_headings(phrases: Sequence[str], language: str) -> list[str]:
    return [title_case(phrase, language) for phrase in phrases if len(phrase.split()) > 1]


def _pair_headings(phrases: Sequence[str], language: str) -> list[str]:
    short = [phrase for phrase in phrases if len(phrase.split()) == 1]
    joint = {"en": "and", "de": "und", "fr": "et", "es": "y", "it": "e", "pt": "e", "nl": "en"}.get(
        base_language(language)
    )
    return [title_case(f"{left} {joint} {right}", language) for left, right in pairwise(short)] if joint else []


def heading_key(heading: str, language: str) -> str:
    """Return the same text for headings that differ in order, inflection and function words only."""
    return " ".join(sorted(terms(heading, language))) or heading.casefold()
