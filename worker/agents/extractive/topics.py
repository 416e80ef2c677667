"""Suggested topics: subjects that several pages or a page's title share, phrased as titles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.content.values import PageDigest, Profile, Topic
from worker.agents.text.similarity import terms, words
from worker.agents.text.stopwords import base_language
from worker.agents.text.titles import capitalise, clean_heading, is_generic, lower_case, strip_name

MAX_TOPICS = 6
_COMPLETE_TITLE = re.compile(
    r"^(?:how|why|what|when|where|who|which|getting|using|understanding|the|an?|\d+)\b", re.IGNORECASE
)
_TITLES = ("how {} {works}", "a closer look at {}", "what to know about {}", "understanding {}", "why {} {matters}")
_TITLES_WITHOUT_ARTICLE = ("{}: what to know", "{}: a closer look", "{}: the essentials")
# Nouns without an article: gerunds, and names of qualities.
_MASS_NOUN = re.compile(r"(?:ing|ity|ness|ance|ence|ism|ics|ship|ware|cy|isolation|software|recovery|support|memory)$")
_TITLES_BY_LANGUAGE = {
    "de": "{}: ein Überblick",
    "fr": "{} : l’essentiel",
    "es": "{}: lo esencial",
    "it": "{}: l’essenziale",
}


@dataclass(frozen=True)
class _Subject:
    phrase: str
    pages: tuple[PageDigest, ...]
    score: float


def suggest_topics(profile: Profile, pages: Sequence[PageDigest]) -> list[Topic]:
    """Suggest up to six topics, best first, no two about the same. Pages without a summary are ignored."""
    usable = [page for page in pages if page.summary.strip()]
    subjects = _drop_similar(_find_subjects(profile, usable), profile.language)
    topics: list[Topic] = []
    for subject in subjects[:MAX_TOPICS]:
        title = _make_title(subject, len(topics), profile.language)
        topics.append(Topic(title=title, why=_describe_sources(subject), url=subject.pages[0].url))
    return topics


def _find_subjects(profile: Profile, pages: Sequence[PageDigest]) -> list[_Subject]:
    language = profile.language
    own_name = set(terms(profile.name, language))
    texts = [_terms_of(page, language) for page in pages]
    titled = {strip_name(page.title, profile.name) for page in pages}
    phrases = sorted(titled | {p for page in pages for p in page.key_phrases if len(p.split()) >= 2})
    subjects: list[_Subject] = []
    for phrase in phrases:
        needed = set(terms(phrase, language))
        if not _can_be_subject(phrase) or not needed - own_name:
            continue
        covering = [page for page, text in zip(pages, texts, strict=True) if needed <= text]
        covering.sort(key=lambda page: (-_closeness(page, needed, language), page.url))
        if covering:
            close = _closeness(covering[0], needed, language)
            # A subject that only one page's key phrases name comes after all others.
            rank = min(len(covering), 6) + 3 * close - (0 if len(covering) > 1 or phrase in titled else 10)
            subjects.append(_Subject(phrase, tuple(covering), rank))
    return sorted(subjects, key=lambda s: (-s.score, s.phrase))


def _terms_of(page: PageDigest, language: str) -> set[str]:
    return set(terms("\n".join((page.title, page.summary, *page.key_phrases)), language))


def _closeness(page: PageDigest, needed: set[str], language: str) -> float:
    title = set(terms(page.title, language))
    return len(needed & title) / max(len(needed | title), 1)


def _can_be_subject(phrase: str) -> bool:
    count = len(words(phrase))
    return (
        1 <= count <= 9
        and 4 <= len(phrase) <= 90
        and not is_generic(phrase)
        and re.search(r"[_()\[\]{}<>=/\\@]|\b\d+\.\d+", phrase) is None
        and count > 1
    )


def _drop_similar(subjects: Sequence[_Subject], language: str) -> list[_Subject]:
    kept: list[_Subject] = []
    for subject in subjects:
        own = set(terms(subject.phrase, language))
        rivals = [set(terms(other.phrase, language)) for other in kept]
        fresh_page = all(subject.pages[0].url != other.pages[0].url for other in kept)
        if fresh_page and not any(len(own & rival) * 2 >= min(len(own), len(rival)) for rival in rivals):
            kept.append(subject)
    return kept


def _make_title(subject: _Subject, index: int, language: str) -> str:
    phrase = subject.phrase
    if _COMPLETE_TITLE.match(phrase) or ":" in phrase or len(words(phrase)) > 5:
        return capitalise(phrase)
    code = base_language(language)
    if code != "en":
        return _TITLES_BY_LANGUAGE.get(code, "{}").format(capitalise(phrase))
    inner = lower_case(phrase)
    plural, joined = _is_plural(inner), " and " in inner
    if not plural and not joined and not _MASS_NOUN.search(inner):
        if not _takes_article(inner, subject.pages):
            return capitalise(_TITLES_WITHOUT_ARTICLE[index % len(_TITLES_WITHOUT_ARTICLE)].format(inner))
        inner = f"the {inner}"
    form = "a closer look at {}" if joined else _TITLES[index % len(_TITLES)]
    text = form.replace("{}", inner).replace("{works}", "work" if plural else "works")
    return capitalise(text.replace("{matters}", "matter" if plural else "matters"))


def _takes_article(phrase: str, pages: Sequence[PageDigest]) -> bool:
    """Return whether the pages themselves write "the …"."""
    pattern = re.compile(rf"\bthe {re.escape(phrase)}\b(?! \w+ing\b)", re.IGNORECASE)
    return any(pattern.search(page.summary) for page in pages)


def _is_plural(phrase: str) -> bool:
    head = re.split(r"\s+(?:of|for|in|on|with|to|from|by|at)\s+", phrase)[0]
    last = (words(head) or words(phrase))[-1].lower()
    return (last.endswith("s") and not last.endswith(("ss", "us", "is", "ics"))) or last in ("data", "people", "media")


def _describe_sources(subject: _Subject) -> str:
    first = clean_heading(subject.pages[0].title)
    if len(subject.pages) == 1:
        return f"The page “{first}” is about it."
    return f"{len(subject.pages)} pages have material on it, most of all “{first}”."
