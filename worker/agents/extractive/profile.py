"""A company's profile, from its home page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from app.content.values import Profile, ReadPage, SiteReading
from worker.agents.extractive.addresses import choose_key_pages, is_offer_page, rank_addresses
from worker.agents.extractive.notes import summarise
from worker.agents.text.keyphrases import find_keyphrases
from worker.agents.text.prose import depends_on_previous, is_prose
from worker.agents.text.sentences import split_list, split_paragraphs, split_sentences
from worker.agents.text.similarity import words
from worker.agents.text.stopwords import base_language
from worker.agents.text.titles import capitalise, clean_heading, is_generic

MAX_OFFERS = 8
MAX_TAGLINE = 200

_TITLE_PARTS = re.compile(r"\s+[|–—·•»:-]+\s+|:\s+|\s*\|\s*")
_WELCOME = re.compile(
    r"^(?:welcome to|home of)\s+|\s+(?:home ?page|homepage|home|official (?:web)?site|website)$", re.IGNORECASE
)
_PEOPLE = (
    r"teams|businesses|companies|developers|engineers|startups|agencies|freelancers|marketers|designers|founders"
    r"|organi[sz]ations|enterprises|families|students|teachers|schools|creators|professionals|owners|retailers|brands"
    r"|researchers|scientists|writers|programmers|users|customers|homeowners|patients|nonprofits|shops|stores"
    r"|applications"
    r"|administrators|managers|clients|restaurants|hotels|people|everyone|beginners|readers|communities"
    r"|farms|farmers|growers|kitchens|offices"
    r"|hospitals|clinics|banks|manufacturers|builders|contractors|landlords|investors|lawyers|doctors|charities|parents"
)
_AUDIENCE = re.compile(
    rf"\b(?:for|helps?|helping|serv(?:es?|ing)|built for|designed for|loved by|used by|trusted by) "
    rf"((?:(?!the\b|our\b|your\b|their\b|for\b|of\b|all our\b)[a-z][a-z'’-]*,? ){{0,3}}(?:{_PEOPLE})"
    rf"(?:(?:,| and| or) (?:[a-z-]+ )?(?:{_PEOPLE}))*)\b",
    re.IGNORECASE,
)
_NO_OFFER_START = re.compile(
    r"^(?:more|latest|common|recent|how|why|what|when|who|where|is|are"
    r"|do|does|can|ready|get|let|join|see|meet|read|our|the)\b",
    re.IGNORECASE,
)


def profile_site(home: ReadPage, candidates: Sequence[str]) -> SiteReading:
    """Profile the company whose home page this is, and choose what to read next, best first."""
    language = base_language(home.language)
    name = find_name(home)
    profile = Profile(
        name=name,
        tagline=_find_tagline(home, name, language),
        summary=summarise(home, language, 3),
        offers=_find_offers(home, name, language),
        audience=_find_audience(home),
        tone=describe_tone(home.text, language),
        language=language,
        key_pages=choose_key_pages(home.url, home.links),
    )
    return SiteReading(profile=profile, read_next=rank_addresses(home.url, home.links, candidates))


def find_name(home: ReadPage) -> str:
    """Return the site's name: the declared one, else the part of the title that is in the host too, else the host."""
    if home.site_name.strip():
        return home.site_name.strip()
    host = _host(home.url)
    label = re.sub(r"[^a-z0-9]", "", host.removeprefix("www.").rpartition(".")[0].rpartition(".")[2] or host)
    parts = [_WELCOME.sub("", part.strip()).strip() for part in _TITLE_PARTS.split(home.title)]
    parts = [part for part in parts if part and not is_generic(part)]
    for part in parts:
        joined = re.sub(r"[^a-z0-9]", "", part.lower())
        if joined and label and (joined == label or (label in joined and len(part.split()) <= 4)):
            return part
    short = [part for part in parts if len(part.split()) <= 4]
    return min(short, key=lambda part: (len(part.split()), parts.index(part))) if short else (host or home.title)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _find_tagline(home: ReadPage, name: str, language: str) -> str:
    described = split_sentences(home.description, language)
    if described and len(words(described[0])) >= 3:
        return described[0][:MAX_TAGLINE]
    for block in home.blocks[:2]:
        heading = clean_heading(block.heading)
        if 3 <= len(words(heading)) <= 16 and heading.lower() != name.lower() and not heading.endswith("?"):
            return heading
    parts = [part.strip() for part in _TITLE_PARTS.split(home.title) if _WELCOME.sub("", part.strip()) != name]
    informative = [part for part in parts if 3 <= len(words(part)) <= 14]
    if informative:
        return informative[0]
    sentences = split_sentences("\n\n".join(block.text for block in home.blocks), language)
    fitting = [s for s in sentences if is_prose(s, language) and not depends_on_previous(s) and len(s) <= MAX_TAGLINE]
    return fitting[0] if fitting else ""


def _find_offers(home: ReadPage, name: str, language: str) -> list[str]:
    linked = [link.text.strip() for link in home.links if is_offer_page(link.url)]
    headings = [clean_heading(block.heading) for block in home.blocks]
    items = [
        item.partition(":")[0] if ":" in item else item
        for block in home.blocks
        for paragraph in split_paragraphs(block.text)
        for item in split_list(paragraph)
    ]
    texts = [_as_offer(text) for text in (*linked, *headings, *items)]
    offers = _drop_duplicates([text for text in texts if _is_offer(text, name)])
    if len(offers) < 3:
        sentences = split_sentences("\n\n".join(block.text for block in home.blocks), language)
        phrases = find_keyphrases(
            sentences,
            language,
            limit=MAX_OFFERS,
            headings=[home.description, summarise(home, language, 3)],
            min_words=2,
        )
        offers = _drop_duplicates([*offers, *(capitalise(p) for p in phrases if _is_offer(p, name))])
    return offers[:MAX_OFFERS]


def _as_offer(text: str) -> str:
    return capitalise(text.strip(" .:;–—-"))


def _is_offer(text: str, name: str) -> bool:
    count = len(text.split())
    return (
        1 <= count <= 6
        and 4 <= len(text) <= 60
        and not (count == 1 and not text.isalpha())
        and not is_generic(text)
        and not _NO_OFFER_START.match(text)
        and not text.endswith(("?", "!"))
        and not (name and name.lower() in text.lower())
    )


def _drop_duplicates(texts: Sequence[str]) -> list[str]:
    return list({text.casefold(): text for text in reversed(texts)}.values())[::-1]


def _find_audience(home: ReadPage) -> str:
    for text in (home.description, home.title, home.text):
        match = _AUDIENCE.search(text)
        if match:
            return capitalise(match.group(1))
    return ""


def describe_tone(text: str, language: str) -> str:
    """Describe how a text sounds, by the lengths of sentences and words, forms of address, and exclamation marks."""
    sentences = [s for s in split_sentences(text[:20_000], language) if len(words(s)) >= 4]
    if not sentences:
        return ""
    found = [word.lower() for s in sentences for word in words(s)]
    mean = len(found) / len(sentences)
    addressed = sum(
        word in {"you", "your", "du", "sie", "ihr", "vous", "votre", "tu", "usted"} for word in found
    ) / len(found)
    ours = sum(word in {"we", "our", "us", "wir", "unser", "nous", "notre"} for word in found) / len(found)
    excited = sum(s.endswith("!") for s in sentences) / len(sentences)
    heavy = sum(len(word) > 9 for word in found) / len(found)
    tones = ["plain and direct" if mean < 15 else "detailed and thorough" if mean > 24 else "clear and factual"]
    if heavy > 0.14:
        tones.append("technical")
    if addressed > 0.025:
        tones.append("speaks to the reader")
    elif ours > 0.025:
        tones.append("personal")
    if excited > 0.08:
        tones.append("enthusiastic")
    return ", ".join(tones)
